package estate

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Loss is what a cable loses in one direction. The zero value loses nothing.
type Loss struct {
	Percent float64 // of all packets
	Burst   int     // mean length of a run of losses; 0 and 1: each packet for itself
}

// chain is the Markov chain that loses so much: see dropper.c.
func (l Loss) chain() (c dropperChain, err error) {
	const one = 1 << 32
	p, run := l.Percent/100, float64(l.Burst)
	enter, leave := p, 1-p
	if l.Burst > 1 && p < 1 {
		enter, leave = p/(1-p)/run, 1/run
	}
	if !(p >= 0 && p <= 1) || l.Burst < 0 || enter > 1 {
		return c, fmt.Errorf("lose %v%% in runs of %d: %w", l.Percent, l.Burst, ErrConfig)
	}
	c.Enter, c.Leave = uint64(enter*one), uint64(leave*one)
	return c, nil
}

// Lost counts the packets of one direction of a cable since its loss was set.
type Lost struct {
	Packets uint64
	Dropped uint64
	Runs    uint64 // of drops
}

// dropper is a loss that is in place; nil is none.
type dropper struct {
	objs dropperObjects
	tcx  link.Link
}

// newDropper loses what comes in by an interface of n; it is nil for no loss.
func newDropper(n *node, name string, loss Loss) (*dropper, error) {
	chain, err := loss.chain()
	if err != nil || loss.Percent == 0 {
		return nil, err
	}
	on, err := n.link(name)
	if err != nil {
		return nil, err
	}
	d := &dropper{}
	if err := loadDropperObjects(&d.objs, nil); err != nil {
		return nil, fmt.Errorf("load dropper: %w", err)
	}
	err = d.objs.Chains.Put(uint32(0), chain)
	if err == nil {
		err = n.thread.do(func() (err error) {
			d.tcx, err = link.AttachTCX(link.TCXOptions{Interface: on.Attrs().Index, Program: d.objs.DropSome, Attach: ebpf.AttachTCXIngress})
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("attach dropper to %s of %s: %w", name, n.name, err), d.close())
	}
	return d, nil
}

func (d *dropper) close() error {
	if d == nil {
		return nil
	}
	if d.tcx == nil {
		return d.objs.Close()
	}
	return errors.Join(d.tcx.Close(), d.objs.Close())
}

func (d *dropper) lost() (Lost, error) {
	var c dropperChain
	if d == nil {
		return Lost{}, nil
	}
	if err := d.objs.Chains.Lookup(uint32(0), &c); err != nil {
		return Lost{}, fmt.Errorf("read dropper: %w", err)
	}
	return Lost{Packets: c.Seen, Dropped: c.Dropped, Runs: c.Runs}, nil
}

// Loss makes a host's cable lose packets on their way to the host and from it, instead of
// what it lost before. Each direction loses where packets arrive: senders would know of
// what is dropped at their own end. Errors wrap ErrConfig for a loss that cannot be: more
// than Burst of each Burst+1 in runs of that length.
func (e *Estate) Loss(name string, in, out Loss) error {
	return e.withHost(name, func(h *host) error {
		intoHost, err := newDropper(h.node, eth0, in)
		if err != nil {
			return err
		}
		fromHost, err := newDropper(h.at, h.port, out)
		if err != nil {
			return errors.Join(err, intoHost.close())
		}
		err = errors.Join(h.in.close(), h.out.close())
		h.in, h.out = intoHost, fromHost
		return err
	})
}

// Lost tells what a host's cable lost; without a Loss nothing is counted.
func (e *Estate) Lost(name string) (in, out Lost, err error) {
	err = e.withHost(name, func(h *host) (err error) {
		if in, err = h.in.lost(); err != nil {
			return err
		}
		out, err = h.out.lost()
		return err
	})
	return in, out, err
}
