# The site and its workers, for CPU. docs/DEPLOY.md, "In containers", says how it is used; compose.yaml does it.
FROM python:3.11-slim-bookworm AS build
WORKDIR /opt/facecheck
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH
COPY requirements.txt ./
RUN pip install -r requirements.txt
COPY package.json package-lock.json ./
COPY tools/frontend.py tools/
# npm comes with a Python package, into an environment that the image does not keep.
RUN python -m venv /opt/node && /opt/node/bin/python tools/frontend.py && rm -rf node_modules

FROM python:3.11-slim-bookworm
WORKDIR /opt/facecheck
RUN useradd --uid 10001 --create-home facecheck && install -d -o facecheck -g facecheck /srv/media
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/facecheck/static/vendor static/vendor
COPY manage.py gunicorn.conf.py pyproject.toml LICENSE NOTICE ./
COPY deepfake_site deepfake_site
COPY detection detection
COPY relitalk relitalk
COPY templates templates
COPY static static
COPY locale locale
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    DEEPFAKE_MEDIA=/srv/media \
    DEEPFAKE_LOG_FORMAT=json
USER facecheck
VOLUME /srv/media
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=8)"]
CMD ["gunicorn", "deepfake_site.wsgi", "--bind", "0.0.0.0:8000"]
