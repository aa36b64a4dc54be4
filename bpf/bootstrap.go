package bpf

import (
	"context"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// ProbeBootstrap tells what keeps Bootstrap from working on this kernel, or nil.
func (t *TCP) ProbeBootstrap() error {
	objs, err := t.loadBootstrap()
	if err != nil {
		return err
	}
	return objs.Close()
}

func (t *TCP) loadBootstrap() (*bootstrapObjects, error) {
	spec, err := loadBootstrap()
	if err != nil {
		return nil, fmt.Errorf("load the bootstrap programs: %w", err)
	}
	if err := t.limits.apply(spec); err != nil {
		return nil, fmt.Errorf("load the bootstrap programs: %w", err)
	}
	if err := spec.Variables["with_udp"].Set(t.udp != nil); err != nil {
		return nil, fmt.Errorf("load the bootstrap programs: %w", err)
	}
	replace := t.shared()
	if t.udp != nil {
		replace["udp_sockets"], replace["flows"] = t.udp.objs.UdpSockets, t.udp.objs.Flows
	}
	var objs bootstrapObjects
	err = spec.LoadAndAssign(&objs, &ebpf.CollectionOptions{Cache: t.cache, MapReplacements: replace})
	return &objs, explain("load the bootstrap programs", err)
}

// Bootstrap puts what existed before the program was attached into its maps, by
// BPF iterators: once over all open files, and once in every network namespace
// that eachNetns enters. eachNetns calls its function with the calling thread
// inside each namespace in turn. Read the result with Listeners and Edges.
func (t *TCP) Bootstrap(ctx context.Context, eachNetns func(func() error) error) (err error) {
	objs, err := t.loadBootstrap()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objs.Close()) }()
	defer func() { t.cache = nil }() // several MiB of the kernel's types
	for _, pass := range []uint32{1, 2} {
		if err := objs.Pass.Set(pass); err != nil {
			return fmt.Errorf("set bootstrap pass: %w", err)
		}
		if err := scan(ctx, objs.ScanFiles); err != nil {
			return fmt.Errorf("scan open files: %w", err)
		}
		tables := func() error {
			return errors.Join(scan(ctx, objs.ScanTcp), scan(ctx, objs.ScanUdp))
		}
		if err := eachNetns(tables); err != nil {
			return fmt.Errorf("scan tables of sockets: %w", err)
		}
	}
	return nil
}

// scan runs an iterator program over everything it iterates, in the network
// namespace of the calling thread.
func scan(ctx context.Context, prog *ebpf.Program) (err error) {
	it, err := link.AttachIter(link.IterOptions{Program: prog})
	if err != nil {
		return explain("attach iterator", err)
	}
	defer func() { err = errors.Join(err, it.Close()) }()
	return readRecords(ctx, it, func(*byte) {}) // it writes nothing
}
