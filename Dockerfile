# The operator's image: the locked dependencies and the package, run by a user without a name or a home.
FROM python:3.13-slim AS build
RUN pip install --no-cache-dir uv==0.13.9
WORKDIR /build
COPY pyproject.toml uv.lock README.md LICENSE ./
COPY operator operator
ENV UV_PROJECT_ENVIRONMENT=/opt/sublet UV_COMPILE_BYTECODE=1 UV_LINK_MODE=copy
RUN uv sync --frozen --no-dev --no-editable

FROM python:3.13-slim
COPY --from=build /opt/sublet /opt/sublet
# Probe pods run `python`, and it must be the one that finds the package.
ENV PATH=/opt/sublet/bin:$PATH
USER 65532:65532
ENTRYPOINT ["/opt/sublet/bin/sublet"]
CMD ["run"]
