package watch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"time"

	"cassini/bpf"
	"cassini/model"
	"cassini/model/wire"

	"github.com/cilium/ebpf"
)

// Kernel is the watch by the kernel.
type Kernel struct {
	kernel *bpf.Heartbeats
	events chan Event

	mu   sync.Mutex
	sets map[wire.Set]bool // those that were armed
	mute map[string]uint64 // datagrams that the filter let through and user space refused
}

// OpenKernel loads the kernel's program. Errors wrap bpf.ErrNotPermitted or
// bpf.ErrUnsupported where they apply: then a User serves.
func OpenKernel() (*Kernel, error) {
	kernel, err := bpf.OpenHeartbeats()
	if err != nil {
		return nil, err
	}
	return &Kernel{kernel: kernel, events: make(chan Event, 16), sets: make(map[wire.Set]bool), mute: make(map[string]uint64)}, nil
}

// Attach puts the program before the socket on which heartbeats come.
func (k *Kernel) Attach(socket int) error { return k.kernel.Attach(socket) }

// OpenReflector loads a reflector with the keys of this watch.
func (k *Kernel) OpenReflector() (*bpf.Reflector, error) { return k.kernel.OpenReflector() }

// Name is "kernel".
func (k *Kernel) Name() string { return "kernel" }

// Put is Watch's.
func (k *Kernel) Put(s Set) error {
	set := bpf.HeartbeatSet{Interval: s.Interval, Silence: s.Silence, Grace: s.grace()}
	for _, key := range s.Keys {
		set.Keys = append(set.Keys, bpf.HeartbeatKey{ID: key.ID, K0: key.Tag.K0, K1: key.Tag.K1})
	}
	if err := orFull(k.kernel.Put(uint32(s.ID), set)); err != nil || s.Interval == 0 {
		return err
	}
	k.mu.Lock()
	known := k.sets[s.ID]
	k.sets[s.ID] = true
	k.mu.Unlock()
	if known {
		return nil
	}
	return k.Arm(s.ID)
}

func orFull(err error) error {
	if errors.Is(err, bpf.ErrFull) {
		return fmt.Errorf("watch: %w: %w", ErrFull, err)
	}
	return err
}

// Arm is Watch's.
func (k *Kernel) Arm(id wire.Set) error { return orFull(k.kernel.Arm(uint32(id))) }

// Remove is Watch's.
func (k *Kernel) Remove(id wire.Set) error {
	k.mu.Lock()
	delete(k.sets, id)
	k.mu.Unlock()
	return k.kernel.Forget(uint32(id))
}

// Take says that what the kernel let through is a control datagram. What was in the
// socket before the program was attached is not.
func (k *Kernel) Take(b []byte) bool {
	h, err := wire.ParseHeader(b)
	if err == nil && h.Type != wire.Heartbeat {
		return true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.mute[outcome(err)]++
	return false
}

// Events is Watch's.
func (k *Kernel) Events() <-chan Event { return k.events }

// Run hands the kernel's events on until the context ends.
func (k *Kernel) Run(ctx context.Context) error {
	stop := context.AfterFunc(ctx, k.kernel.Interrupt)
	defer stop()
	var e bpf.PulseEvent
	for ctx.Err() == nil {
		err := k.kernel.Read(&e)
		switch {
		case errors.Is(err, os.ErrClosed), errors.Is(err, bpf.ErrInterrupted):
			return nil
		case err != nil:
			return fmt.Errorf("watch heartbeats: %w", err)
		}
		select {
		case k.events <- Event{Kind: kindOf(e.Kind), Set: wire.Set(e.Set), Silent: e.Silent, Incarnation: model.Incarnation(e.Incarnation)}:
		case <-ctx.Done():
		}
	}
	return nil
}

func kindOf(kind bpf.PulseEventKind) Kind {
	switch kind {
	case bpf.PulseExpired:
		return Expired
	case bpf.PulseResumed:
		return Resumed
	case bpf.PulseIncarnation:
		return Incarnation
	}
	return Late
}

// Stats is Watch's.
func (k *Kernel) Stats(id wire.Set) (Stats, error) {
	p, err := k.kernel.Pulse(uint32(id))
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return Stats{}, fmt.Errorf("tell of set %#x: %w", id, ErrUnknown)
	}
	if err != nil {
		return Stats{}, err
	}
	s := Stats{
		Heartbeats: p.Heartbeats, Expiries: uint64(p.Expiries), Late: uint64(p.Late),
		Incarnation: model.Incarnation(p.Incarnation), Progress: p.Progress, Flags: wire.Flags(p.Flags),
	}
	for i := range Buckets {
		s.Spacing[i], s.Lateness[i] = uint64(p.Spacing[i]), uint64(p.Lateness[i])
	}
	if clock, err := bpf.ReadClock(); err == nil && p.LastNs != 0 {
		s.Silent = time.Duration(max(int64(clock.MonoNs-p.LastNs), 0))
	}
	return s, nil
}

// Counters is Watch's.
func (k *Kernel) Counters() (map[string]uint64, error) {
	c, err := k.kernel.Counters()
	if err != nil {
		return nil, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	sum := map[string]uint64{
		Heartbeat: c.Heartbeats, Control: c.Control, Truncated: c.Truncated, Malformed: c.Malformed,
		UnknownSet: c.UnknownSet, UnknownKey: c.UnknownKey, Forged: c.Forged, Replayed: c.Replayed,
		OldIncarnation: c.OldIncarnation, NotWatched: c.NotWatched, Limited: c.Limited, Unarmed: c.Unarmed, Untold: c.RingFull,
	}
	for reason, n := range k.mute {
		sum[reason] += n
	}
	return maps.Clone(sum), nil
}

// RunTime tells how often the program ran, and how long that took in all.
func (k *Kernel) RunTime() (bpf.RunTime, error) { return k.kernel.RunTime() }

// Close is Watch's.
func (k *Kernel) Close() error { return k.kernel.Close() }
