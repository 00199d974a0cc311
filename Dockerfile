# syntax=docker/dockerfile:1
# The gateway as an image of one static binary: no shell, no libraries, no user but one without rights.
#
#   docker build -t pointsman .
#   docker run --read-only -p 8080:8080 -v ./pointsman.toml:/etc/pointsman/pointsman.toml:ro -v state:/var/lib/pointsman pointsman
#
# Binaries that exist already replace the stage `binary`, which then compiles nothing; their folder has them as
# linux/amd64/pointsman and linux/arm64/pointsman:
#
#   docker build -t pointsman --build-context binary=target/dist/image .

ARG RUST_VERSION=1.95.0
ARG ALPINE_VERSION=3.22

FROM rust:${RUST_VERSION}-alpine${ALPINE_VERSION} AS build
# A C compiler for ring and zstd. Alpine removes old versions of packages, so none is stated.
# hadolint ignore=DL3018
RUN apk add --no-cache build-base
WORKDIR /src
COPY . .
# The target of this image links statically. Paths of the build stay out of the binary, and only Cargo.lock decides
# about versions, so equal sources give equal binaries.
ENV CARGO_INCREMENTAL=0 \
    RUSTFLAGS="-C target-feature=+crt-static --remap-path-prefix=/src=. --remap-path-prefix=/usr/local/cargo=cargo"
RUN --mount=type=cache,target=/usr/local/cargo/registry,sharing=locked \
    --mount=type=cache,target=/src/target,sharing=locked \
    target="$(uname -m)-unknown-linux-musl" \
    && rustup target add "$target" wasm32-unknown-unknown \
    && cargo build --release --locked --package pointsman-gateway --bin pointsman --target "$target" \
    && install -D "target/$target/release/pointsman" /out/pointsman

# The stage that --build-context replaces.
FROM scratch AS binary
ARG TARGETPLATFORM
COPY --from=build /out/pointsman /${TARGETPLATFORM}/pointsman

# The files besides the binary. The gateway verifies providers with the authorities in ca-certificates.crt.
FROM alpine:${ALPINE_VERSION} AS files
# hadolint ignore=DL3018
RUN apk add --no-cache ca-certificates-bundle \
    && install -D -m 0444 /etc/ssl/certs/ca-certificates.crt /files/etc/ssl/certs/ca-certificates.crt \
    && echo "pointsman:x:65532:65532:pointsman:/var/lib/pointsman:/sbin/nologin" > /files/etc/passwd \
    && echo "pointsman:x:65532:" > /files/etc/group \
    && install -d -m 0755 /files/etc/pointsman \
    && install -d -m 0700 -o 65532 -g 65532 /files/var/lib/pointsman \
    && install -d -m 1777 /files/tmp

FROM scratch
ARG TARGETPLATFORM
ARG VERSION=0.1.0
ARG REVISION=unknown
ARG CREATED=1970-01-01T00:00:00Z
LABEL org.opencontainers.image.title="Pointsman" \
      org.opencontainers.image.description="An LLM gateway that makes its routing decisions in WebAssembly policies" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}" \
      org.opencontainers.image.created="${CREATED}"
COPY --from=files /files/ /
COPY LICENSE /usr/share/doc/pointsman/LICENSE
COPY --from=binary ${TARGETPLATFORM}/pointsman /usr/local/bin/pointsman
# As a number, so that Kubernetes can see that it is not root.
USER 65532:65532
WORKDIR /var/lib/pointsman
# The only paths that are written: `state.dir` and `decision_log.dir` belong below the first, uploads use /tmp.
VOLUME ["/var/lib/pointsman", "/tmp"]
# 8080 for clients; 8081 for operators, which listens on loopback unless the configuration has a token.
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
# For a listener with TLS or another port, set POINTSMAN_HEALTH_URL.
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --start-interval=1s --retries=3 \
    CMD ["/usr/local/bin/pointsman", "health"]
ENTRYPOINT ["/usr/local/bin/pointsman"]
# In a container, loopback is not reachable. Without API keys in the configuration, this address is refused.
CMD ["serve", "--config", "/etc/pointsman/pointsman.toml", "--listen", "0.0.0.0:8080"]
