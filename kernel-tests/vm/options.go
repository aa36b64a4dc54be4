package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"cassini/kernel-tests/internal/debian"
	"cassini/kernel-tests/internal/guest"
)

// options are what the command line says.
type options struct {
	kernels []string
	tests   []string // paths of test binaries
	arch    string
	run     string
	timeout time.Duration // of each binary
	boot    time.Duration // allowed before the first binary and after the last
	memory  int           // MiB
	cpus    int
	modules []string
	carried []string // modules that tests load
	append  string
	cache   string
	out     string
	json    string
	docs    string // where results are told to readers
	qemu    string
	refresh bool
	fault   guest.Break
}

type list struct{ values *[]string }

func (l list) String() string { return "" }

func (l list) Set(s string) error {
	for value := range strings.SplitSeq(s, ",") {
		if value = strings.TrimSpace(value); value != "" {
			*l.values = append(*l.values, value)
		}
	}
	return nil
}

// parseOptions reads the command line. Errors are for the user.
func parseOptions(args []string, stderr io.Writer) (options, error) {
	var o options
	var kernels, modules, carried, fault string
	set := flag.NewFlagSet("vm", flag.ContinueOnError)
	set.SetOutput(stderr)
	set.StringVar(&kernels, "kernels", "6.1,6.12", "`names` of Debian kernels, with commas: series (5.10,6.1,6.12,6.18,7.2: cloud kernels), or with another flavour (6.12-ordinary,6.12-rt)")
	set.Var(list{&o.tests}, "test", "static test `binary` (CGO_ENABLED=0 go test -c); again, with commas or behind all flags for more")
	set.StringVar(&o.arch, "arch", "amd64", "architecture of kernels and binaries: amd64 or arm64")
	set.StringVar(&o.run, "run", "", "run only tests that match this `expression`")
	set.DurationVar(&o.timeout, "timeout", 20*time.Minute, "how long each binary may take")
	set.DurationVar(&o.boot, "boot-timeout", 2*time.Minute, "how long booting may take")
	set.IntVar(&o.memory, "memory", 512, "memory of the machine in `MiB`")
	set.IntVar(&o.cpus, "cpus", 2, "processors of the machine")
	set.StringVar(&modules, "modules", "veth,sch_ingress,cls_bpf,tcp_diag,virtio_net,bonding,8021q,macvlan,bridge,vxlan,ip_gre,nfsd,nfsv4", "kernel modules to load")
	set.StringVar(&carried, "carry", "sctp", "kernel modules that tests load themselves, from /cassini/modules; what they need is loaded")
	set.StringVar(&o.append, "append", "", "more `arguments` for the kernel, such as lsm=lockdown,yama,bpf")
	set.StringVar(&o.cache, "cache", "", "`directory` that keeps kernels and QEMU (default: cassini in the user's cache directory)")
	set.StringVar(&o.out, "out", "", "`directory` for logs (default: vm/last in the cache)")
	set.StringVar(&o.json, "json", "", "`file` for the results as JSON (default: results.json in -out)")
	set.StringVar(&o.docs, "docs", "", "`directory` of kernels.json and kernels.md, which tell what became of every kernel (default: not told there)")
	set.StringVar(&o.qemu, "qemu", "", "`path` of the QEMU to use (default: the system's, else one that is fetched)")
	set.BoolVar(&o.refresh, "refresh", false, "fetch the newest kernels even when there are some")
	set.StringVar(&fault, "break", "", "fail on purpose, to test this program: panic, exit, hang or no-result")
	if err := set.Parse(args); err != nil {
		return o, err
	}
	_ = list{&o.kernels}.Set(kernels)
	_ = list{&o.modules}.Set(modules)
	_ = list{&o.carried}.Set(carried)
	o.tests = append(o.tests, set.Args()...)
	o.fault = guest.Break(fault)
	return o, errors.Join(o.check(), o.places())
}

func (o *options) check() error {
	if len(o.tests) == 0 {
		return errors.New("nothing to run: name a test binary with -test (CGO_ENABLED=0 go test -c -o bin/capture.test ./kernel-tests/capture)")
	}
	if len(o.kernels) == 0 {
		return errors.New("no kernel: name series with -kernels, such as 6.1,6.12")
	}
	for _, name := range o.kernels {
		if _, _, err := debian.ParseName(name); err != nil {
			return err
		}
	}
	if o.docs != "" && (o.run != "" || o.fault != guest.BreakNothing) {
		return errors.New("results of some tests are not what became of a kernel: give -docs without -run and -break")
	}
	if o.fault != guest.BreakNothing && !slices.Contains(guest.Breaks[:], o.fault) {
		return fmt.Errorf("fault %q is not one of %v", o.fault, guest.Breaks)
	}
	return nil
}

// places fills in the directories that were not given.
func (o *options) places() error {
	var err error
	if o.cache == "" {
		if o.cache, err = debian.CacheDir(); err != nil {
			return fmt.Errorf("%w (give one with -cache)", err)
		}
	}
	if o.out == "" {
		o.out = filepath.Join(o.cache, "vm", "last")
	}
	if o.json == "" {
		o.json = filepath.Join(o.out, "results.json")
	}
	o.cache, err = filepath.Abs(o.cache)
	return err
}
