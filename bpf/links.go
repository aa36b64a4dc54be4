package bpf

import (
	"errors"
	"fmt"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// attachTracing attaches tracepoints and trampolines: all, or none with an error.
func attachTracing(programs ...*ebpf.Program) ([]link.Link, error) {
	var links []link.Link
	for _, prog := range programs {
		l, err := link.AttachTracing(link.TracingOptions{Program: prog})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("attach %v: %w", prog, err), closeLinks(links))
		}
		links = append(links, l)
	}
	return links, nil
}

// hook is where a cgroup has programs, and one of them.
type hook struct {
	at   ebpf.AttachType
	prog *ebpf.Program
}

// attachCgroup attaches programs to a cgroup: all, or none with an error. They stand beside others'
// and go with this process; link.AttachCgroup would step down to what stays.
func attachCgroup(root *os.File, hooks ...hook) ([]link.Link, error) {
	var links []link.Link
	for _, h := range hooks {
		l, err := link.AttachRawLink(link.RawLinkOptions{Target: int(root.Fd()), Program: h.prog, Attach: h.at})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("attach to the cgroup v2 root: %s: %w", h.at, err), closeLinks(links))
		}
		links = append(links, l)
	}
	return links, nil
}

func closeLinks(links []link.Link) error {
	var errs []error
	for _, l := range links {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
