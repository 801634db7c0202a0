# The image of the agent. It stands beside a load balancer and shares with it the volume that holds the share's file, and
# its socket. Its configuration is /etc/headgate/agent.yaml, mounted; what it remembers belongs into a volume, too.
# docker build -f packaging/images/agent.Dockerfile .
FROM debian:bookworm-slim AS packages
COPY . /src
RUN ["/src/packaging/images/steps", "compile", "/src", "/packages"]

FROM debian:bookworm-slim AS root
COPY --from=packages /packages /packages
COPY packaging/images/steps /steps
RUN ["/steps", "assemble", "agent", "/packages", "/root-of-image"]

# No shell, no package manager: the program and what it loads.
FROM scratch
COPY --from=root /root-of-image /
USER 64000:64000
VOLUME ["/var/lib/headgate"]

# Whether it lives; what it waits for (a controller, a load balancer, its journal) is no reason to end it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/sbin/headgate-agent", "doctor", "--live", "--config", "/etc/headgate/agent.yaml"]
ENTRYPOINT ["/usr/sbin/headgate-agent"]
CMD ["run", "--config", "/etc/headgate/agent.yaml"]
