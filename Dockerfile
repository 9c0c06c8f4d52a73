# One distribution, two images: --target source-vitally or --target destination-vitally.
ARG BASE_IMAGE=docker.io/airbyte/python-connector-base:4.1.0@sha256:1d1aa21d34e851df4e8a87b391c27724c06e2597608e7161f4d167be853bd7b6

# What each needs, exactly as locked, beside the base's own packages and without pip.
FROM ${BASE_IMAGE} AS source-vitally-dependencies
# hadolint ignore=DL3002
USER 0
COPY locks/source.lock /tmp/requirements.lock
RUN python -m venv --without-pip /opt/vitally \
    && python -m pip --python /opt/vitally install --quiet --no-cache-dir --no-deps --require-hashes \
        --requirement /tmp/requirements.lock \
    && rm /tmp/requirements.lock

# The same, and the client of S3.
FROM source-vitally-dependencies AS destination-vitally-dependencies
COPY locks/destination.lock /tmp/requirements.lock
RUN python -m pip --python /opt/vitally install --quiet --no-cache-dir --no-deps --require-hashes \
        --requirement /tmp/requirements.lock \
    && rm /tmp/requirements.lock

# Compiled here, because the file system of a connector may be read-only.
FROM ${BASE_IMAGE} AS code
# hadolint ignore=DL3002
USER 0
COPY vitally_api /code/vitally_api
COPY source_vitally /code/source_vitally
COPY destination_vitally /code/destination_vitally
RUN python -m compileall -q --invalidation-mode unchecked-hash /code

FROM ${BASE_IMAGE} AS connector
ARG BASE_IMAGE
ENV PATH=/opt/vitally/bin:${PATH} \
    PYTHONPATH=/airbyte/integration_code \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
WORKDIR /airbyte/integration_code
LABEL org.opencontainers.image.base.name="${BASE_IMAGE}" \
      org.opencontainers.image.licenses="MIT"

FROM connector AS source-vitally
COPY --from=source-vitally-dependencies /opt/vitally /opt/vitally
COPY --from=code /code/vitally_api ./vitally_api
COPY --from=code /code/source_vitally ./source_vitally
LABEL org.opencontainers.image.title="Vitally source for Airbyte" \
      org.opencontainers.image.documentation="https://docs.airbyte.com/integrations/sources/vitally" \
      org.opencontainers.image.version="1.0.0" \
      io.airbyte.name="airbyte/source-vitally" \
      io.airbyte.version="1.0.0"
ENV AIRBYTE_ENTRYPOINT="python -m source_vitally"
USER 1000
ENTRYPOINT ["python", "-m", "source_vitally"]

FROM connector AS destination-vitally
COPY --from=destination-vitally-dependencies /opt/vitally /opt/vitally
COPY --from=code /code/vitally_api ./vitally_api
COPY --from=code /code/destination_vitally ./destination_vitally
LABEL org.opencontainers.image.title="Vitally destination for Airbyte" \
      org.opencontainers.image.documentation="https://docs.airbyte.com/integrations/destinations/vitally" \
      org.opencontainers.image.version="0.1.0" \
      io.airbyte.name="airbyte/destination-vitally" \
      io.airbyte.version="0.1.0"
ENV AIRBYTE_ENTRYPOINT="python -m destination_vitally"
USER 1000
ENTRYPOINT ["python", "-m", "destination_vitally"]
