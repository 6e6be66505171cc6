# parsenode with ONNX Runtime, as small as Debian makes it. `docker build -t parsenode .`
FROM rust:1.95-bookworm AS build
RUN apt-get update && apt-get install -y --no-install-recommends python3-pip && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
# The pin and the checksum of ONNX Runtime stand in xtask, once.
RUN cargo xtask runtime \
 && cargo build --release --locked --package node \
 && mkdir /out && cp target/release/parsenode target/onnxruntime/*/libonnxruntime.so.* /out/

FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends libstdc++6 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --create-home --home-dir /var/lib/parsenode parsenode
# ONNX Runtime is found beside the program.
COPY --from=build /out/ /opt/parsenode/
ENV PATH=/opt/parsenode:$PATH
USER parsenode
VOLUME /var/lib/parsenode
EXPOSE 11112 2762 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=10s CMD ["parsenode", "echo", "PARSENODE@127.0.0.1:11112"]
ENTRYPOINT ["parsenode"]
CMD ["serve", "--config", "/etc/parsenode/node.toml"]
