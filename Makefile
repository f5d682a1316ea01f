# All set-up happens here: `make demo` and `make test` need only Python >= 3.11 with pip and venv, make, and the
# Debian packages of `make system`. Everything is installed into .venv, at the versions of constraints.txt; mediapipe,
# which wants other versions, into .venv-mediapipe.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
MEDIAPIPE := .venv-mediapipe/.installed
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
# Where torch comes from, if not from pip's usual index; for example https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# Where the real clips are that `make bench` draws again and `make prove` trains on.
CLIPS ?= ../shared/data
# How much `make prove` trains: full (six hours on two cores) or quick.
SIZE ?= full
# Syncers trained before, which it need not train: grid-guide=runs/first/syncers.safetensors ...
JUDGES ?=

.DEFAULT_GOAL := help
.PHONY: help demo test picture docs bench prove stress package wheel system clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(INSTALLED)  ## animate the bundled portrait with the bundled speech: out/talk.mp4
	$(BIN)/headmotion demo -o out

test: $(INSTALLED) $(MEDIAPIPE)  ## every check: style, types, tests, plugins, documentation examples
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2
	@if test -s $(MEDIAPIPE); then cat $(MEDIAPIPE); else \
		set -x; OMP_NUM_THREADS=1 .venv-mediapipe/bin/python -m pytest tests/detectors; fi

picture: demo  ## make the picture of the README
	$(BIN)/python tools/make_readme_picture.py out/talk.mp4 docs/images/demo.png

docs: $(INSTALLED)  ## build the documentation site into site/
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(INSTALLED) $(MEDIAPIPE)  ## measure speed, memory and, where there are real clips, the quality of the portrait
	$(BIN)/python -m benchmarks.goals
	$(BIN)/python -m benchmarks.goals.profile
	$(BIN)/python -m benchmarks.run
	$(BIN)/python benchmarks/large_pictures.py
	@if test -d $(CLIPS); then \
		python=.venv-mediapipe/bin/python; test -x $$python || python=$(BIN)/python; \
		set -x; $$python benchmarks/portrait.py $(CLIPS); \
	else echo "skipped: benchmarks/portrait.py, for there are no real clips in $(CLIPS)"; fi

prove: $(INSTALLED)  ## train and measure the experiments of docs/results.md; goes on where it was stopped
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.reproduction --size $(SIZE) \
		$(if $(wildcard $(CLIPS)/grid_s1/index.csv),--clips $(CLIPS)) $(if $(JUDGES),--judge $(JUDGES))

stress: $(INSTALLED)  ## damage thousands of files by new chance
	HEADMOTION_CAMPAIGN_CASES=20 HEADMOTION_CAMPAIGN_SEED=$$(date +%s) OMP_NUM_THREADS=1 \
		$(BIN)/pytest -n 2 tests/campaign/test_mutated_files.py

package: wheel  ## install the wheel alone and run the demo outside the checkout
	set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder/venv"; \
	"$$folder/venv/bin/pip" install --quiet -c constraints.txt dist/*.whl; \
	cd "$$folder" && venv/bin/headmotion demo -o out && test -s out/talk.mp4

wheel: $(INSTALLED)  ## build the wheel into dist/
	rm -rf dist
	$(BIN)/python -m build --wheel

system:  ## install the Debian packages that OpenCV needs
	$(if $(filter 0,$(shell id -u)),,sudo) apt-get update
	$(if $(filter 0,$(shell id -u)),,sudo) apt-get install -y --no-install-recommends libgl1 libglib2.0-0

clean:  ## remove everything that the other targets made
	rm -rf .venv .venv-mediapipe out dist build site .pytest_cache .ruff_cache .mypy_cache .hypothesis

$(INSTALLED): pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(grep '^torch==' constraints.txt)"
	$(PIP) -e '.[dev]'
	$(PIP) --no-deps -e plugins/template -e plugins/headmotion-frechet
	@$(BIN)/python -c 'import cv2' \
		|| { echo "error: OpenCV cannot be loaded; on Debian or Ubuntu run: make system"; exit 1; }
	touch $@

# Its site-packages come before those of .venv, which a .pth file appends. Not empty: why there is no such environment.
$(MEDIAPIPE): $(INSTALLED) constraints-mediapipe.txt
	rm -rf .venv-mediapipe && mkdir .venv-mediapipe
	@set -e; if $(BIN)/python -c 'import sys; sys.exit(sys.version_info >= (3, 13))'; then \
		set -x; \
		$(BIN)/python -m venv .venv-mediapipe; \
		.venv-mediapipe/bin/pip install --quiet --disable-pip-version-check --no-deps -r constraints-mediapipe.txt; \
		$(BIN)/python -c 'import site; print(*map("import site; site.addsitedir({!r})".format, site.getsitepackages()), sep="\n")' \
			> "$$(.venv-mediapipe/bin/python -c 'import site; print(site.getsitepackages()[0])')/venv.pth"; \
		: > $@; \
	else \
		echo "skipped: tests/detectors with mediapipe, which has no wheels for Python 3.13 (constraints-mediapipe.txt)" > $@; \
	fi
