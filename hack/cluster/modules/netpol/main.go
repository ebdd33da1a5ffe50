// Command netpol is upstream's own suite for NetworkPolicy, and nothing else of upstream's end-to-end tests.
//
// It takes the flags of Ginkgo (--ginkgo.focus, --ginkgo.skip, ...) and of upstream's framework (--kubeconfig, ...).
package main

import (
	"flag"
	"os"

	"github.com/onsi/ginkgo/v2"
	"github.com/onsi/gomega"
	"k8s.io/klog/v2"
	"k8s.io/kubernetes/test/e2e/framework"
	"k8s.io/kubernetes/test/e2e/framework/config"

	_ "k8s.io/kubernetes/test/e2e/framework/debug/init"
	_ "k8s.io/kubernetes/test/e2e/framework/node/init"
	_ "k8s.io/kubernetes/test/e2e/network/netpol"
)

// verdict stands for the *testing.T that Go gives to tests only.
type verdict struct{ failed bool }

func (v *verdict) Fail() { v.failed = true }

func main() {
	config.CopyFlags(config.Flags, flag.CommandLine)
	framework.RegisterCommonFlags(flag.CommandLine)
	framework.RegisterClusterFlags(flag.CommandLine)
	flag.Parse()
	framework.AfterReadingAllFlags(&framework.TestContext)
	gomega.RegisterFailHandler(framework.Fail)
	klog.SetOutput(ginkgo.GinkgoWriter)
	suite, reporter := framework.CreateGinkgoConfig()
	outcome := &verdict{}
	if !ginkgo.RunSpecs(outcome, "NetworkPolicy", suite, reporter) || outcome.failed {
		os.Exit(1)
	}
}
