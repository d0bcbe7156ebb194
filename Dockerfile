# The program alone in a small image: built in the first stages, run by a user without rights in the last.
#
#   docker build -t orderstream .
#   docker run -p 127.0.0.1:8080:8080 -v orderstream-data:/data orderstream
#
# Without settings it keeps everything in the volume /data (the embedded store). docker-compose.yml runs its parts as
# services of their own on PostgreSQL.

# What dependencies are made of: the manifests, and programs that do nothing. It stays the same while only sources
# change, so that the dependencies below stay built.
FROM rust:1.95-bookworm AS manifests
WORKDIR /src
COPY . .
RUN rm -r LICENSE config \
    && find crates -type f ! -name Cargo.toml ! -path '*/src/lib.rs' ! -path '*/src/main.rs' -delete \
    && find crates -type d -empty -delete \
    && echo 'fn main() {}' >stub.rs \
    && find crates -name '*.rs' -exec cp stub.rs {} ';' \
    && rm stub.rs

FROM rust:1.95-bookworm AS build
# How many compilers run at once; all cores if it is not given. Each takes up to 2 GB.
ARG CARGO_BUILD_JOBS
# The image needs no debug information.
ENV CARGO_PROFILE_RELEASE_DEBUG=none CARGO_PROFILE_RELEASE_STRIP=symbols
WORKDIR /src
COPY --from=manifests /src .
RUN cargo build --release --locked -p orderstream
COPY . .
# Cargo goes by the time of change, and the sources are older than what was just built in their place.
RUN find crates -name '*.rs' -exec touch {} + \
    && cargo build --release --locked -p orderstream

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="orderstream" \
      org.opencontainers.image.description="An event-sourced order platform in one program" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.base.name="docker.io/library/debian:bookworm-slim"
# The id is fixed, so that who owns a volume stays the same from one image to the next.
RUN groupadd --gid 10001 orderstream \
    && useradd --uid 10001 --gid orderstream --no-create-home --home-dir /data --shell /usr/sbin/nologin orderstream \
    && install -d -o orderstream -g orderstream -m 0700 /data \
    && install -d /etc/orderstream
# Whom webhooks, mail servers and databases are trusted by.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /src/target/release/orderstream /usr/local/bin/
COPY LICENSE /usr/share/doc/orderstream/
# A container is reached through its own network only, so it listens on all of its addresses.
# A rebuild of views sorts in temporary files, beside them: nothing else need be writable.
ENV ORDERSTREAM_DATA=/data ORDERSTREAM_LISTEN=0.0.0.0:8080 SQLITE_TMPDIR=/data
# A file orderstream.toml that is mounted here is read.
WORKDIR /etc/orderstream
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s --retries=3 CMD ["orderstream", "health"]
ENTRYPOINT ["orderstream"]
CMD ["serve"]
