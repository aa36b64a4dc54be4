package bpf

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Reflector answers for the agent from the kernel: who asks, with the key of a set for
// control datagrams, hears how far the agent is. It needs tcx (Linux 6.6). Progress may be
// called concurrently with all else; the other methods belong to one goroutine. The kernel
// takes it away when the process ends, however it does.
type Reflector struct {
	objs reflectObjects
	on   link.Link
}

// OpenReflector loads a reflector that knows the keys of h, whatever they become. Errors
// wrap ErrNotPermitted or ErrUnsupported where they apply.
func (h *Heartbeats) OpenReflector() (*Reflector, error) {
	r := &Reflector{}
	err := loadReflectObjects(&r.objs, &ebpf.CollectionOptions{MapReplacements: map[string]*ebpf.Map{
		reflectMapHeartbeatSets: h.objs.HeartbeatSets, reflectMapHeartbeatCounts: h.objs.HeartbeatCounts,
	}})
	if err != nil {
		return nil, errors.Join(explain("load the reflector", err), r.objs.Close())
	}
	return r, nil
}

// Attach answers what comes in by an interface for an address and UDP port of a life, and
// no more what it was attached to before. Errors wrap ErrUnsupported where the kernel has
// no tcx.
func (r *Reflector) Attach(iface int, own netip.AddrPort, life uint64) error {
	if err := r.detach(); err != nil {
		return err
	}
	port := own.Port()<<8 | own.Port()>>8 // as the network has it: all of our machines are little-endian
	err := errors.Join(r.objs.OwnAddr.Set(own.Addr().As16()), r.objs.OwnPort.Set(port), r.objs.Incarnation.Set(life))
	if err != nil {
		return fmt.Errorf("set up the reflector: %w", err)
	}
	r.on, err = link.AttachTCX(link.TCXOptions{Interface: iface, Program: r.objs.Reflect, Attach: ebpf.AttachTCXIngress})
	return explain(fmt.Sprintf("attach the reflector to interface %d", iface), err)
}

func (r *Reflector) detach() error {
	if r.on == nil {
		return nil
	}
	on := r.on
	r.on = nil
	if err := on.Close(); err != nil {
		return fmt.Errorf("detach the reflector: %w", err)
	}
	return nil
}

// Progress is what is answered from now on. It makes no system call.
func (r *Reflector) Progress(n uint64) error { return r.objs.Progress.Set(n) }

// Counters are how many were answered, and how many were not because there were too many.
func (r *Reflector) Counters() (reflected, limited uint64, err error) {
	err = errors.Join(r.objs.Reflected.Get(&reflected), r.objs.Limited.Get(&limited))
	return reflected, limited, err
}

// Close detaches it.
func (r *Reflector) Close() error { return errors.Join(r.detach(), r.objs.Close()) }
