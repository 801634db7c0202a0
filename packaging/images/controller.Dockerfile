# The image of the controller, and the operators' command. The journal lies in /var/lib/headgate: give it a volume.
# The certificate is read from /etc/headgate: ca.crt, tls.crt and tls.key, mounted, and looked at again every 5 s.
# docker build -f packaging/images/controller.Dockerfile .
FROM debian:bookworm-slim AS packages
COPY . /src
RUN ["/src/packaging/images/steps", "compile", "/src", "/packages"]

FROM debian:bookworm-slim AS root
COPY --from=packages /packages /packages
COPY packaging/images/steps /steps
RUN ["/steps", "assemble", "controller", "/packages", "/root-of-image"]

# No shell, no package manager: the program and what it loads.
FROM scratch
COPY --from=root /root-of-image /
USER 64000:64000
VOLUME ["/var/lib/headgate"]
EXPOSE 7443
# Whether it lives; what it waits for (a controller, a load balancer, its journal) is no reason to end it.
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/usr/bin/headgate", "doctor", "--live", "--socket", "/run/headgate/headgated.sock"]
ENTRYPOINT ["/usr/sbin/headgated"]
CMD ["--listen", "0.0.0.0:7443", "--ca", "/etc/headgate/ca.crt", "--cert", "/etc/headgate/tls.crt", "--key", "/etc/headgate/tls.key", "--metrics-plaintext"]
