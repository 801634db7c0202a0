//go:build tools

// Keeps helm, which is built from here at the version of go.mod, in go.mod and go.sum.
package main

import _ "helm.sh/helm/v3/cmd/helm"
