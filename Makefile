# All set-up happens here: `make demo` and `make test` need only Python >= 3.11 with pip and venv, and make. Everything
# is installed into .venv, at the versions of constraints.txt. What does not go together with the rest has an environment
# of its own, laid over that one: .venv-mediapipe and .venv-face-alignment.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
MEDIAPIPE := .venv-mediapipe/.installed
FACE_ALIGNMENT := .venv-face-alignment/.installed
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt
# Where torch comes from, if not from pip's usual index; for example https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
# Where the real clips are that `make bench` draws again and `make prove` trains on.
CLIPS ?= ../shared/data
# How much `make prove` trains: full (six hours on two cores) or quick.
SIZE ?= full
# Syncers trained before, which it need not train: grid-guide=runs/first/syncers.safetensors ...
JUDGES ?=
# How long `make stress` runs, and which of its cases: the same seed goes on where it was stopped.
# HOURS of sound are streamed before that.
SECONDS ?= 600
HOURS ?= 0
# ONNX Runtime Web of npm, for the live demo of `make docs`, and how large the demo may be (MB).
RUNTIME ?= node_modules/onnxruntime-web
DEMO_MB ?= 40
SEED ?= 0

.DEFAULT_GOAL := help
.PHONY: help demo test coverage picture docs bench prove stress package dist clean

help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

demo: $(INSTALLED)  ## animate the bundled portrait with the bundled speech: out/talk.mp4
	$(BIN)/headmotion demo -o out

test: $(INSTALLED) $(MEDIAPIPE) $(FACE_ALIGNMENT)  ## every check: style, types, tests, plugins, documentation examples
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2
	@if test -s $(MEDIAPIPE); then cat $(MEDIAPIPE); else \
		set -x; OMP_NUM_THREADS=1 .venv-mediapipe/bin/python -m pytest tests/detectors; fi
	OMP_NUM_THREADS=1 .venv-face-alignment/bin/python -m pytest tests/detectors/test_face_alignment.py

coverage: $(INSTALLED)  ## the tests again, a fifth slower, with the share of the package's lines that they reach
	OMP_NUM_THREADS=1 $(BIN)/pytest -n 2 --cov --cov-report=
	@echo "coverage: $$($(BIN)/coverage report --format=total)%"

picture: demo  ## make the picture of the README
	$(BIN)/python tools/make_readme_picture.py out/talk.mp4 docs/images/demo.png

docs: $(INSTALLED)  ## build the documentation site into site/, with its live demo if RUNTIME (npm install onnxruntime-web) is there
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict
	@if test -d $(RUNTIME); then \
		$(BIN)/headmotion export -o site/demo --web --runtime $(RUNTIME) && test $$(du -sm site/demo | cut -f1) -le $(DEMO_MB); \
	else echo "skipped: the live demo, for there is no $(RUNTIME) (npm install onnxruntime-web)"; fi

bench: $(INSTALLED) $(MEDIAPIPE)  ## measure speed, memory and, where there are real clips, the quality of the portrait
	$(BIN)/python -m benchmarks.goals
	$(BIN)/python -m benchmarks.goals.profile
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.waits
	$(BIN)/python -m benchmarks.pool --page
	$(BIN)/python -m benchmarks.serving --page
	$(BIN)/python benchmarks/large_pictures.py
	@if test -d $(CLIPS); then \
		python=.venv-mediapipe/bin/python; test -x $$python || python=$(BIN)/python; \
		set -x; $$python benchmarks/portrait.py $(CLIPS); \
		$(BIN)/python benchmarks/portrait_edges.py $(CLIPS); \
		$(BIN)/python -m benchmarks.portrait_sheet $(CLIPS); \
	else echo "skipped: benchmarks/portrait.py, for there are no real clips in $(CLIPS)"; fi

prove: $(INSTALLED)  ## train and measure the experiments of docs/results.md; goes on where it was stopped
	OMP_NUM_THREADS=1 $(BIN)/python -m benchmarks.reproduction --size $(SIZE) \
		$(if $(wildcard $(CLIPS)/grid_s1/index.csv),--clips $(CLIPS)) $(if $(JUDGES),--judge $(JUDGES))

stress: $(INSTALLED)  ## try to break everything by new chance, for SECONDS=600; goes on where it was stopped
	$(BIN)/python -m benchmarks.stress hours --cases $(HOURS) --seed $(SEED)
	$(BIN)/python -m benchmarks.stress --seconds $(SECONDS) --seed $(SEED)
	$(BIN)/python -m benchmarks.stress.page

package: dist  ## install the wheel alone and run the demo outside the checkout
	set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	$(PYTHON) -m venv "$$folder/venv"; \
	"$$folder/venv/bin/pip" install --quiet -c constraints.txt dist/*.whl; \
	cd "$$folder" && venv/bin/headmotion demo -o out && test -s out/talk.mp4

dist: $(INSTALLED)  ## build the sdist and the wheel into dist/ and check them
	rm -rf dist
	$(BIN)/python -m build --no-isolation
	$(BIN)/twine check --strict dist/*

clean:  ## remove everything that the other targets made
	rm -rf .venv .venv-mediapipe .venv-face-alignment out dist build site
	rm -rf .pytest_cache .ruff_cache .mypy_cache .hypothesis .coverage

$(INSTALLED): pyproject.toml constraints.txt $(wildcard plugins/*/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: Python 3.11 or newer is needed: make PYTHON=python3.12"; exit 1; }
	test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(PIP) $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) "$$(grep '^torch==' constraints.txt)"
	$(PIP) -e '.[dev]'
	$(PIP) --no-deps -e plugins/template -e plugins/headmotion-frechet -e plugins/headmotion-atvg -e plugins/headmotion-amie -e plugins/headmotion-au
	touch $@

# Site-packages of an environment of its own come before those of .venv, which a .pth file appends. The mark is not empty
# where there is no such environment: it says why.
.venv-%/.installed: constraints-%.txt $(INSTALLED)
	rm -rf $(@D) && mkdir $(@D)
	@set -e; if test $* = mediapipe && $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 13))'; then \
		echo "skipped: tests/detectors with mediapipe, which has no wheels for Python 3.13 ($<)" > $@; \
	else \
		set -x; \
		$(BIN)/python -m venv $(@D); \
		$(@D)/bin/pip install --quiet --disable-pip-version-check --no-deps -r $<; \
		$(BIN)/python -c 'import site; print(*map("import site; site.addsitedir({!r})".format, site.getsitepackages()), sep="\n")' \
			> "$$($(@D)/bin/python -c 'import site; print(site.getsitepackages()[0])')/venv.pth"; \
		: > $@; \
	fi
