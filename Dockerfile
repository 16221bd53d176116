FROM python:3.12-slim AS build

# Both names of one setting: pip 26.2 and newer read the second where the package is built.
ENV PIP_CONSTRAINT=/source/constraints.txt \
    PIP_BUILD_CONSTRAINT=/source/constraints.txt \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
WORKDIR /source

# The dependencies first, with no more of the code than its version: they stay cached while the code changes.
COPY pyproject.toml hatch_build.py constraints.txt README.md LICENSE ./
COPY catalog/__init__.py catalog/
RUN /venv/bin/pip install '.[server,telemetry]'

COPY catalog catalog
RUN /venv/bin/pip install --no-deps --force-reinstall .


FROM python:3.12-slim

RUN useradd --uid 10001 --no-create-home --home-dir /catalog --shell /usr/sbin/nologin catalog \
    && install --directory --owner catalog --group catalog \
        /catalog /catalog/data /catalog/uploads /catalog/resources
COPY --from=build /venv /venv

# Every other setting comes from the environment too. There is no embedded database in here: give DATABASE.
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOST=0.0.0.0 \
    HTTP_PORT=80 \
    HTTPS_PORT=443

# A user who is not root may listen on 80 and 443 here: Docker sets net.ipv4.ip_unprivileged_port_start=0 in a
# container's own network (not with --network host).
USER 10001:10001
WORKDIR /catalog
VOLUME ["/catalog/data", "/catalog/uploads", "/catalog/resources"]
EXPOSE 80 443

# HTTPS when there is a certificate, else HTTP. The certificate is not verified: it names the public host.
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=3 \
    CMD ask='import ssl, sys, urllib.request as web; web.urlopen(sys.argv[1], timeout=4, context=ssl._create_unverified_context())'; \
        python -c "$ask" "https://127.0.0.1:$HTTPS_PORT/health/live" 2>/dev/null \
        || python -c "$ask" "http://127.0.0.1:$HTTP_PORT/health/live"

CMD ["catalog", "serve"]
