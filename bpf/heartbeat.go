package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/ringbuf"
	"github.com/cilium/ebpf/rlimit"
	"golang.org/x/sys/unix"
)

// HeartbeatCounters count the datagrams of the heartbeat socket, summed over all CPUs.
type HeartbeatCounters = heartbeatHeartbeatCounters

// Pulse is what the kernel knows of one neighbour. Times are CLOCK_MONOTONIC.
type Pulse = heartbeatPulse

// PulseEventKind says what happened to a neighbour's heartbeats.
type PulseEventKind uint32

// Kinds of PulseEvent.
const (
	PulseExpired     = PulseEventKind(heartbeatPulseEventKindPULSE_EVENT_EXPIRED)
	PulseResumed     = PulseEventKind(heartbeatPulseEventKindPULSE_EVENT_RESUMED)
	PulseIncarnation = PulseEventKind(heartbeatPulseEventKindPULSE_EVENT_INCARNATION)
	PulseLate        = PulseEventKind(heartbeatPulseEventKindPULSE_EVENT_LATE)
)

// PulseEvent wakes user space: a neighbour is silent, is back, lives a new life, or this
// machine itself stood still.
type PulseEvent struct {
	Kind        PulseEventKind
	Set         uint32
	AtNs        uint64 // CLOCK_MONOTONIC
	Silent      time.Duration
	Incarnation uint64
}

// HeartbeatKey is a key of SipHash with its number.
type HeartbeatKey struct {
	ID     uint8
	K0, K1 uint64
}

// MaxHeartbeatKeys of a set, MaxHeartbeatSets of a watch.
const (
	MaxHeartbeatKeys = 3
	MaxHeartbeatSets = 256
)

// HeartbeatSet is what is accepted under one number, and what is wanted of it.
type HeartbeatSet struct {
	Keys     []HeartbeatKey // at most MaxHeartbeatKeys
	Interval time.Duration  // between heartbeats; 0: control datagrams
	Silence  time.Duration  // until PulseExpired; 0: never. A new one holds from the next heartbeat or Arm on
	Grace    time.Duration  // a timer later than this gives a new window, and PulseLate
}

// Errors of Heartbeats.
var (
	ErrBadSet      = errors.New("bad set of heartbeat keys")
	ErrFull        = errors.New("no room for another set of heartbeat keys")
	ErrInterrupted = errors.New("interrupted")
)

// Heartbeats is the filter of the heartbeat socket with its maps. Read has one caller;
// the other methods may be called concurrently with it and with each other. The kernel
// stops all timers when the process ends, however it does.
type Heartbeats struct {
	objs   heartbeatObjects
	reader *ringbuf.Reader
	record ringbuf.Record
}

// OpenHeartbeats loads the filter. Errors wrap ErrNotPermitted or ErrUnsupported where
// they apply: kernels before 5.15 have no timers for programs.
func OpenHeartbeats() (*Heartbeats, error) {
	h := &Heartbeats{}
	// Kernels from 5.11 on charge BPF memory to the cgroup and need no limit.
	_ = rlimit.RemoveMemlock()
	err := loadHeartbeatObjects(&h.objs, nil)
	if err == nil {
		h.reader, err = ringbuf.NewReader(h.objs.PulseEvents)
	}
	if err != nil {
		return nil, errors.Join(explain("load the watch of heartbeats", err), h.Close())
	}
	return h, nil
}

// ProbeHeartbeats says what keeps the kernel from watching heartbeats, or nil.
func ProbeHeartbeats() error {
	h, err := OpenHeartbeats()
	if err != nil {
		return err
	}
	return h.Close()
}

// Attach puts the filter before a UDP socket, for as long as the socket lives.
func (h *Heartbeats) Attach(socket int) error {
	return attachFilter(socket, h.objs.HeartbeatDatagrams)
}

// Put makes or changes a set. Errors wrap ErrFull where there is no room, and ErrBadSet
// for one that cannot be.
func (h *Heartbeats) Put(id uint32, set HeartbeatSet) error {
	value := heartbeatHeartbeatSet{
		IntervalNs: uint64(set.Interval), SilenceNs: uint64(set.Silence), GraceNs: uint64(set.Grace),
	}
	switch {
	case len(set.Keys) > len(value.Keys):
		return fmt.Errorf("put set of %d keys: %w: at most %d are held", len(set.Keys), ErrBadSet, len(value.Keys))
	case set.Interval < 0 || set.Silence < 0 || set.Grace < 0: // the kernel would take them for centuries
		return fmt.Errorf("put set of %v, %v and %v: %w: a time is negative", set.Interval, set.Silence, set.Grace, ErrBadSet)
	}
	for i, key := range set.Keys {
		value.Keys[i].K0, value.Keys[i].K1, value.Keys[i].Id, value.Keys[i].Used = key.K0, key.K1, uint32(key.ID), 1
	}
	if err := h.objs.HeartbeatSets.Put(id, value); err != nil {
		return orFull("put set of heartbeat keys", err)
	}
	return nil
}

// Arm begins to watch the neighbour of a set, or begins its window anew.
func (h *Heartbeats) Arm(id uint32) error {
	// A pulse that is there stays: writing it would stop its timer.
	err := h.objs.Pulses.Update(id, Pulse{}, ebpf.UpdateNoExist)
	if err != nil && !errors.Is(err, ebpf.ErrKeyExist) {
		return orFull("make pulse", err)
	}
	failed, err := h.begin(id)
	for tries := 1; err == nil && failed == noTimer && tries < 10; tries++ {
		time.Sleep(time.Duration(tries) * time.Millisecond) // the kernel frees those of others only then
		failed, err = h.begin(id)
	}
	if err != nil {
		return fmt.Errorf("arm timer of a neighbour: %w", err)
	}
	if failed != 0 {
		return fmt.Errorf("arm timer of a neighbour: the kernel refused it at step %d", failed)
	}
	return nil
}

// noTimer is what heartbeat_arm returns when the kernel found no memory for a timer,
// which it looks for without waiting.
const noTimer = 3

func (h *Heartbeats) begin(id uint32) (failed uint32, err error) {
	data := make([]byte, 64) // an Ethernet header, then the number
	binary.LittleEndian.PutUint32(data[14:], id)
	return h.objs.HeartbeatArm.Run(&ebpf.RunOptions{Data: data})
}

func orFull(doing string, err error) error {
	if errors.Is(err, unix.E2BIG) {
		return fmt.Errorf("%s: %w: %w", doing, ErrFull, err)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// Forget ends a set and its watch. It is no error that there is none.
func (h *Heartbeats) Forget(id uint32) error {
	if err := forget(h.objs.HeartbeatSets, id); err != nil {
		return err
	}
	// A program that found the set may still be at its pulse, whose memory the next
	// neighbour gets. Where that cannot be waited for, it is only unlikely.
	_, _, _ = unix.Syscall(unix.SYS_MEMBARRIER, membarrierGlobal, 0, 0)
	return forget(h.objs.Pulses, id)
}

// membarrierGlobal is uapi/linux/membarrier.h's MEMBARRIER_CMD_GLOBAL: wait until every
// program that runs now has ended.
const membarrierGlobal = 1

func forget(m *ebpf.Map, id uint32) error {
	if err := m.Delete(id); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("forget set of heartbeat keys: %w", err)
	}
	return nil
}

// Pulse reads what is known of a neighbour; the error wraps ebpf.ErrKeyNotExist for
// one that is not watched.
func (h *Heartbeats) Pulse(id uint32) (p Pulse, err error) {
	if err := h.objs.Pulses.Lookup(id, &p); err != nil {
		return p, fmt.Errorf("read pulse: %w", err)
	}
	return p, nil
}

// Counters sums the filter's totals over all CPUs.
func (h *Heartbeats) Counters() (sum HeartbeatCounters, err error) {
	var perCPU []HeartbeatCounters
	if err := h.objs.HeartbeatCounts.Lookup(uint32(0), &perCPU); err != nil {
		return sum, fmt.Errorf("read counters of heartbeats: %w", err)
	}
	for _, c := range perCPU {
		sum.Heartbeats += c.Heartbeats
		sum.Control += c.Control
		sum.Truncated += c.Truncated
		sum.Malformed += c.Malformed
		sum.UnknownSet += c.UnknownSet
		sum.UnknownKey += c.UnknownKey
		sum.Forged += c.Forged
		sum.Replayed += c.Replayed
		sum.OldIncarnation += c.OldIncarnation
		sum.NotWatched += c.NotWatched
		sum.Limited += c.Limited
		sum.Unarmed += c.Unarmed
		sum.RingFull += c.RingFull
	}
	return sum, nil
}

// Read waits for the next event. It returns os.ErrClosed after Close, ErrInterrupted
// after Interrupt, and errors that wrap ErrBadEvent for a record that it cannot read.
func (h *Heartbeats) Read(e *PulseEvent) error {
	if err := h.reader.ReadInto(&h.record); err != nil {
		switch {
		case errors.Is(err, ringbuf.ErrClosed):
			return os.ErrClosed
		case errors.Is(err, ringbuf.ErrFlushed):
			return ErrInterrupted
		}
		return fmt.Errorf("read events of heartbeats: %w", err)
	}
	raw := h.record.RawSample
	if len(raw) != int(unsafe.Sizeof(heartbeatPulseEvent{})) {
		return fmt.Errorf("%w: it has %d bytes", ErrBadEvent, len(raw))
	}
	rec := (*heartbeatPulseEvent)(unsafe.Pointer(unsafe.SliceData(raw))) // see parseEvent
	*e = PulseEvent{
		Kind: PulseEventKind(rec.Kind), Set: rec.Set, AtNs: rec.AtNs, Silent: time.Duration(rec.SilentNs), Incarnation: rec.Incarnation,
	}
	return nil
}

// Interrupt makes the Read that waits, or the next one, return ErrInterrupted once
// it has read what there is.
func (h *Heartbeats) Interrupt() { _ = h.reader.Flush() } // fails only when closed

// RunTime tells how often the filter ran, and how long that took.
func (h *Heartbeats) RunTime() (RunTime, error) {
	stats, err := h.objs.HeartbeatDatagrams.Stats()
	if err != nil {
		return RunTime{}, fmt.Errorf("read run time of the filter of heartbeats: %w", err)
	}
	return RunTime{Runs: stats.RunCount, Skipped: stats.RecursionMisses, Took: stats.Runtime}, nil
}

// Bytes is how much memory the kernel charges to the maps; 0 where it does not tell.
func (h *Heartbeats) Bytes() (sum uint64) {
	for _, m := range []*ebpf.Map{h.objs.HeartbeatSets, h.objs.Pulses, h.objs.PulseEvents, h.objs.HeartbeatCounts, h.objs.ControlBuckets, h.objs.ControlSeen} {
		if info, err := m.Info(); err == nil {
			bytes, _ := info.Memlock()
			sum += bytes
		}
	}
	return sum
}

// Close ends Read and lets go of the filter; a socket that has it keeps it, without
// its timers.
func (h *Heartbeats) Close() error {
	var errs []error
	if h.reader != nil {
		errs = append(errs, h.reader.Close())
	}
	if h.objs.Pulses != nil {
		errs = append(errs, h.objs.Close())
	}
	return errors.Join(errs...)
}
