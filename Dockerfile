FROM rust:1.95.0-bookworm AS build
WORKDIR /src
COPY . .
# A target that is named keeps the flags away from build scripts and macros,
# which cannot be linked statically.
RUN target="$(rustc --print host-tuple)" \
    && RUSTFLAGS="-C target-feature=+crt-static -C link-arg=-Wl,-z,pack-relative-relocs" \
       cargo build --release --locked --target "$target" \
    && install -D "target/$target/release/nexmo-audit-exporter" /out/nexmo-audit-exporter \
    && mkdir /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/nexmo-audit-exporter /nexmo-audit-exporter
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV NEXMO_AUDIT_STORAGE_PATH=/data
# `demo` keeps its state in a temporary folder, and there is no /tmp.
ENV TMPDIR=/data
VOLUME /data
EXPOSE 10610
ENTRYPOINT ["/nexmo-audit-exporter"]
