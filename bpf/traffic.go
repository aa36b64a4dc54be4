package bpf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"unsafe"

	"github.com/cilium/ebpf/link"
	"golang.org/x/sys/unix"
)

// Traffic is what one open connection of TCP, or association of SCTP, has moved so far: payload
// bytes, segments or chunks that were sent again, the smoothed round-trip time, and when a packet last came or went
// (CLOCK_MONOTONIC nanoseconds). Edge and Life say on which edge it counts.
type Traffic = trafficTraffic

// traffic reads what open connections have moved, from the table of connections.
type traffic struct {
	objs  trafficObjects
	iters []*link.Iter // over the table, and over its overflow
}

// openTraffic loads the programs that OpenTraffic runs.
func (t *TCP) openTraffic() (_ *traffic, err error) {
	spec, replace, err := t.beside(loadTraffic)
	if err != nil {
		return nil, err
	}
	r := &traffic{}
	if err := spec.LoadAndAssign(&r.objs, t.types.options(replace)); err != nil {
		return nil, explain("load the programs that read open connections", err)
	}
	for _, over := range []link.IterOptions{
		{Program: r.objs.TrafficOfBucket, Map: t.objs.Connections},
		{Program: r.objs.TrafficOfOverflow, Map: t.objs.Overflow},
	} {
		it, err := link.AttachIter(over)
		if err != nil {
			return nil, errors.Join(explain("attach the iterator over open connections", err), r.close())
		}
		r.iters = append(r.iters, it)
	}
	return r, nil
}

func (r *traffic) close() error {
	var errs []error
	for _, it := range r.iters {
		errs = append(errs, it.Close())
	}
	return errors.Join(append(errs, r.objs.Close())...)
}

// ProbeTraffic tells what keeps OpenTraffic from working on this kernel, or nil.
func (t *TCP) ProbeTraffic() error { return t.noTraffic }

// OpenTraffic calls fn for every TCP connection that is open and counted on an edge, and every
// association of SCTP. It visits every place of the table of connections, and reads the sockets
// of those that are taken. A connection that opens or closes meanwhile may be missing; it is told
// once at most. The pointer is valid until fn returns. Errors wrap what ProbeTraffic
// tells where the kernel does not let it work.
func (t *TCP) OpenTraffic(ctx context.Context, fn func(*Traffic)) error {
	if t.noTraffic != nil {
		return t.noTraffic
	}
	for _, it := range slices.Concat(t.traffic.iters, t.sctp.Load().iters()) {
		if err := readRecords(ctx, it, fn); err != nil {
			return fmt.Errorf("read what open connections have moved: %w", err)
		}
	}
	return nil
}

// readRecords runs an iterator whose program writes one kind of record.
func readRecords[R any](ctx context.Context, it *link.Iter, fn func(*R)) (err error) {
	out, err := it.Open()
	if err != nil {
		return fmt.Errorf("open iterator: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	// The kernel fills 8 pages at most before it hands them over (kernel/bpf/bpf_iter.c).
	const records = 1024
	var (
		buf  [records]R
		have int // bytes
	)
	size := int(unsafe.Sizeof(buf[0]))
	// The kernel wrote these very structs on this machine, as in parseEvent.
	raw := unsafe.Slice((*byte)(unsafe.Pointer(&buf[0])), records*size)
	for ctx.Err() == nil {
		n, err := out.Read(raw[have:])
		have += n
		whole := have / size
		for i := range whole {
			fn(&buf[i])
		}
		have = copy(raw, raw[whole*size:have])
		// A long walk that writes nothing is interrupted with EAGAIN.
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil && !errors.Is(err, unix.EAGAIN) {
			return fmt.Errorf("read iterator: %w", err)
		}
	}
	return ctx.Err()
}
