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
	objs, err := t.bootstrap()
	if err != nil {
		return err
	}
	return objs.Close()
}

// bootstrap are the programs as they were loaded at the start, or loaded now. They are the
// caller's, who closes them.
func (t *TCP) bootstrap() (*bootstrapObjects, error) {
	if t.boot != nil && t.bootUDP == (t.udp != nil) {
		objs := t.boot
		t.boot = nil
		return objs, nil
	}
	return t.loadBootstrap()
}

func (t *TCP) closeBootstrap() error {
	if t.boot == nil {
		return nil
	}
	err := t.boot.Close()
	t.boot = nil
	return err
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
	if err := spec.Variables["with_sctp"].Set(t.sctp.Load() != nil); err != nil {
		return nil, fmt.Errorf("load the bootstrap programs: %w", err)
	}
	replace := t.shared()
	replace["steered"] = t.objs.Steered
	if t.udp != nil {
		replace["udp_sockets"], replace["flows"] = t.udp.objs.UdpSockets, t.udp.objs.Flows
	}
	var objs bootstrapObjects
	if err := spec.LoadAndAssign(&objs, t.types.options(replace)); err != nil {
		return nil, explain("load the bootstrap programs", err)
	}
	return &objs, nil
}

// Bootstrap puts what existed before the program was attached into its maps, by
// BPF iterators: once over all open files, and once in every network namespace
// that eachNetns enters. eachNetns calls its function with the calling thread
// inside each namespace in turn. Read the result with Listeners and Edges.
func (t *TCP) Bootstrap(ctx context.Context, eachNetns func(func() error) error) (err error) {
	objs, err := t.bootstrap()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, objs.Close(), t.closeBootstrap()) }()
	defer func() { t.types = nil }() // several MiB of the kernel's types
	for _, pass := range []uint32{passListeners, passConnections} {
		if err := objs.pass(ctx, pass, eachNetns); err != nil {
			return err
		}
	}
	return nil
}

// Passes over all sockets (enum pass in bootstrap.c).
const (
	passListeners uint32 = iota + 1
	passConnections
)

// pass walks all open files, and then the tables of each network namespace.
func (o *bootstrapObjects) pass(ctx context.Context, pass uint32, eachNetns func(func() error) error) error {
	if err := o.Pass.Set(pass); err != nil {
		return fmt.Errorf("set bootstrap pass: %w", err)
	}
	if err := inTwo(o.Noted, o.Again, func() error { return scan(ctx, o.ScanFiles) }); err != nil {
		return fmt.Errorf("scan open files: %w", err)
	}
	tables := func() error {
		return errors.Join(scan(ctx, o.ScanTcp), scan(ctx, o.ScanUdp))
	}
	if err := eachNetns(tables); err != nil {
		return fmt.Errorf("scan tables of sockets: %w", err)
	}
	return nil
}

// inTwo walks over open files, and a second time for sockets that several processes hold, where
// there are any (shareholders.h).
func inTwo(noted, again *ebpf.Variable, walk func() error) error {
	if err := noted.Set(uint32(0)); err != nil {
		return err
	}
	if err := walk(); err != nil {
		return err
	}
	var any uint32
	if err := noted.Get(&any); err != nil || any == 0 {
		return err
	}
	if err := again.Set(uint32(1)); err != nil {
		return err
	}
	return errors.Join(walk(), again.Set(uint32(0)))
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
