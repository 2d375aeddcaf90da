# The image of the runner and of the command line. goreleaser builds it for each system: the
# context has the released binaries, below the name of their platform, and the licences.
# The base has certificate authorities, and neither a shell nor a package manager.
FROM gcr.io/distroless/static-debian12:nonroot

ARG TARGETPLATFORM
ARG VERSION

COPY LICENSE build/THIRD_PARTY_LICENSES.txt /usr/share/doc/terraform-provider-lytics/
COPY ${TARGETPLATFORM}/terraform-provider-lytics_v${VERSION} /usr/local/bin/terraform-provider-lytics

# The user "nonroot" of the base. Its home is the only directory that it may write to: the
# data directory is .lytics there, and a volume on the home keeps it.
USER 65532:65532
WORKDIR /home/nonroot

ENTRYPOINT ["/usr/local/bin/terraform-provider-lytics"]
CMD ["runner"]
