FROM rust:1.95.0-bookworm AS build
WORKDIR /src
# The dependencies have a layer of their own, which stays until one of these files changes.
COPY Cargo.toml Cargo.lock ./
COPY crates/audit-core/Cargo.toml crates/audit-core/
COPY crates/audit-simulator/Cargo.toml crates/audit-simulator/
COPY crates/exporter-web/Cargo.toml crates/exporter-web/
COPY crates/fuzz-properties/Cargo.toml crates/fuzz-properties/
COPY crates/test-support/Cargo.toml crates/test-support/
COPY crates/yaml-tree/Cargo.toml crates/yaml-tree/
COPY packaging/build.sh packaging/build-dependencies.sh packaging/
RUN packaging/build-dependencies.sh
COPY . .
# For `build_info`: there is no repository around the sources.
ARG NEXMO_AUDIT_REVISION=unknown
RUN packaging/build.sh /out/nexmo-audit-exporter && mkdir /out/data

FROM scratch
LABEL org.opencontainers.image.title="nexmo-audit-exporter" \
      org.opencontainers.image.description="Prometheus exporter for the Audit API of Nexmo (now Vonage)" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/nexmo-audit-exporter /nexmo-audit-exporter
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV NEXMO_AUDIT_STORAGE_PATH=/data
# `demo` keeps its state in a temporary folder, and there is no /tmp.
ENV TMPDIR=/data
VOLUME /data
EXPOSE 10610
# Asks where NEXMO_AUDIT_WEB_LISTEN_ADDRESS says, by http or https. `simulate`, which
# has no such page, wants `--no-healthcheck`.
HEALTHCHECK --interval=30s --timeout=10s --start-period=30s --retries=3 \
    CMD ["/nexmo-audit-exporter", "healthcheck"]
ENTRYPOINT ["/nexmo-audit-exporter"]
