package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"
)

// FrameCounters count what reached the filter of discovery frames, summed over all
// CPUs.
type FrameCounters = framesFrameCounters

// Frames is the filter that lets LLDP, CDP and FDP frames through to the packet sockets of
// one network namespace. Its methods may be called concurrently.
type Frames struct{ objs framesObjects }

// OpenFrames loads the filter. Errors wrap ErrNotPermitted or ErrUnsupported where
// they apply.
func OpenFrames() (*Frames, error) {
	f := &Frames{}
	if err := loadFramesObjects(&f.objs, nil); err != nil {
		return nil, explain("load the filter of discovery frames", err)
	}
	// Interfaces beyond those that the map holds share one bucket.
	if err := f.objs.Buckets.Put(uint32(0), framesBucket{}); err != nil {
		return nil, errors.Join(fmt.Errorf("make the shared bucket: %w", err), f.Close())
	}
	return f, nil
}

// Attach makes a packet socket pass these frames alone. It does so for as long as
// the socket lives.
func (f *Frames) Attach(socket int) error {
	return attachFilter(socket, f.objs.DiscoveryFrames)
}

// Forget drops what is kept of an interface that has gone.
func (f *Frames) Forget(ifindex int) error {
	return forgetInterface(f.objs.Buckets, ifindex)
}

func forgetInterface(buckets *ebpf.Map, ifindex int) error {
	if err := buckets.Delete(uint32(ifindex)); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("forget an interface: %w", err)
	}
	return nil
}

func attachFilter(socket int, program *ebpf.Program) error {
	if err := unix.SetsockoptInt(socket, unix.SOL_SOCKET, unix.SO_ATTACH_BPF, program.FD()); err != nil {
		return fmt.Errorf("attach a filter to a socket: %w", err)
	}
	return nil
}

// Counters sums the filter's totals over all CPUs.
func (f *Frames) Counters() (sum FrameCounters, err error) {
	var perCPU []FrameCounters
	if err := f.objs.FrameCounts.Lookup(uint32(0), &perCPU); err != nil {
		return sum, fmt.Errorf("read counters of discovery frames: %w", err)
	}
	for _, c := range perCPU {
		sum.Seen += c.Seen
		sum.Lldp += c.Lldp
		sum.Cdp += c.Cdp
		sum.Limited += c.Limited
	}
	return sum, nil
}

// Limited is how many frames were held back: a flood. It is 0 once the filter is
// closed.
func (f *Frames) Limited() uint64 {
	c, _ := f.Counters()
	return c.Limited
}

// Close lets go of the filter; sockets that have it keep it.
func (f *Frames) Close() error { return f.objs.Close() }
