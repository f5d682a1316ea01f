# The server of live sessions and whole files, on the CPU; see docs/serve.md.
#
#   docker build -t headmotion .
#   docker run -p 8765:8765 -e HEADMOTION_SERVE_TOKEN=... headmotion
#
# It listens on all addresses of the container, so it does not start without a token.

FROM python:3.12-slim

# Where torch comes from, if not from pip's usual index, whose build for Linux has CUDA with it.
ARG TORCH_INDEX=

WORKDIR /app
COPY constraints.txt .
RUN pip install --no-cache-dir -c constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} "$(grep '^torch==' constraints.txt)"
COPY pyproject.toml README.md LICENSE ./
COPY headmotion headmotion
RUN pip install --no-cache-dir -c constraints.txt '.[serve]'

RUN useradd --uid 10001 --create-home headmotion
USER headmotion
WORKDIR /home/headmotion
ENV OMP_NUM_THREADS=1 PYTHONUNBUFFERED=1

EXPOSE 8765
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8765/health', timeout=4)"]
# Ctrl-C and SIGTERM end it; with --state and a volume, sessions outlive it.
ENTRYPOINT ["headmotion", "serve", "--host", "0.0.0.0"]
