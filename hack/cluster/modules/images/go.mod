module sublet.dev/hack/cluster/images

go 1.26.0
