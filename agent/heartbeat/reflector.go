package heartbeat

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"

	"cassini/agent/heartbeat/watch"
	"cassini/bpf"
)

// reflector answers from the kernel for an agent that may not get to it; nil is none. Its
// methods are the loop's, but for attached and counters.
type reflector struct {
	kernel *bpf.Reflector
	at     netip.AddrPort
	on     atomic.Bool
}

// openReflector loads the kernel's part. It has the keys from the kernel's watch.
func openReflector(w watch.Watch) (*reflector, error) {
	kernel, ok := w.(*watch.Kernel)
	if !ok {
		return nil, errors.New("load the reflector: it needs the watch of heartbeats in the kernel")
	}
	r, err := kernel.OpenReflector()
	if err != nil {
		return nil, err
	}
	return &reflector{kernel: r}, nil
}

// attach answers on the interface with the address. It changes nothing where it does so.
func (r *reflector) attach(own netip.AddrPort, life uint64) error {
	if r == nil || r.at == own {
		return nil
	}
	i, err := interfaceWith(own.Addr())
	if err != nil {
		return fmt.Errorf("attach the reflector: %w", err)
	}
	r.at = netip.AddrPort{}
	r.on.Store(false)
	if err := r.kernel.Attach(i.Index, own, life); err != nil {
		return err
	}
	r.at = own
	r.on.Store(true)
	return nil
}

func (r *reflector) attached() bool { return r != nil && r.on.Load() }

func (r *reflector) progressed(n uint64) {
	if r != nil {
		_ = r.kernel.Progress(n) // fails only where the kernel has no memory that is shared, and then it was not loaded
	}
}

func (r *reflector) counters() (reflected, limited uint64) {
	if r == nil {
		return 0, 0
	}
	reflected, limited, _ = r.kernel.Counters()
	return reflected, limited
}

func (r *reflector) close() error {
	if r == nil {
		return nil
	}
	return r.kernel.Close()
}

// interfaceWith is the one with an address. Errors wrap errNoInterface if there is none.
func interfaceWith(addr netip.Addr) (net.Interface, error) {
	interfaces, err := net.Interfaces()
	if err != nil {
		return net.Interface{}, fmt.Errorf("list interfaces: %w", err)
	}
	for _, i := range interfaces {
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			prefix, err := netip.ParsePrefix(a.String())
			if err == nil && prefix.Addr().Unmap() == addr {
				return i, nil
			}
		}
	}
	return net.Interface{}, fmt.Errorf("%w %s", errNoInterface, addr)
}

var errNoInterface = errors.New("no interface has the address")
