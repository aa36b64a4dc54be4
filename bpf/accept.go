package bpf

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
)

// Worker is a process that took connections from a listener of TCP or SCTP.
type Worker struct {
	Cookie   uint64 // of the listener
	PID      int
	StartNs  uint64 // of the process, CLOCK_BOOTTIME
	Comm     string
	Accepted uint64
}

// Accepts counts what processes accept from listeners. Its methods may be called
// concurrently, but for Close.
type Accepts struct {
	*accepting
	sctp atomic.Pointer[accepting] // nil while SCTP's are not counted
}

// accepting is the program at the function that accepts for one protocol.
type accepting struct {
	objs acceptObjects
	link link.Link
}

// OpenAccepts loads and attaches the program. types may be nil. An error says that this
// kernel does not allow it: then the listener's owner has what was accepted.
func OpenAccepts(types *Types) (*Accepts, error) {
	a, err := openAccepting("inet_csk_accept", types.options(nil))
	if err != nil {
		return nil, err
	}
	return &Accepts{accepting: a}, nil
}

// OpenSCTP counts those of SCTP too, once the kernel has loaded it. An error says that this kernel
// does not allow it.
func (a *Accepts) OpenSCTP() error {
	if a.sctp.Load() != nil {
		return nil
	}
	// Its own types: those of the start may not have SCTP's.
	s, err := openAccepting("sctp_accept", &ebpf.CollectionOptions{Cache: btf.NewCache(), MapReplacements: map[string]*ebpf.Map{"workers": a.objs.Workers}})
	if err != nil {
		return err
	}
	a.sctp.Store(s)
	return nil
}

// openAccepting has the program run when a function returns whose first argument is the listener
// and whose result is what was accepted.
func openAccepting(function string, opts *ebpf.CollectionOptions) (*accepting, error) {
	spec, err := loadAccept()
	if err != nil {
		return nil, err
	}
	a := &accepting{}
	spec.Programs["accepted"].AttachTo = function
	if err := spec.LoadAndAssign(&a.objs, opts); err != nil {
		return nil, fmt.Errorf("load the program at %s (trampolines may be refused, even to root): %w", function, err)
	}
	if a.link, err = link.AttachTracing(link.TracingOptions{Program: a.objs.Accepted}); err != nil {
		err = fmt.Errorf("attach to %s (trampolines may be refused, even to root): %w", function, err)
		return nil, errors.Join(err, a.objs.Close())
	}
	return a, nil
}

// Workers lists the processes that accepted connections. A walk beside changes may miss or
// repeat entries that change meanwhile.
func (a *Accepts) Workers() ([]Worker, error) {
	var list []Worker
	err := eachEntry(a.objs.Workers, func(key *acceptWorkerKey, w *acceptWorker) {
		comm, _, _ := bytes.Cut(w.Comm[:], []byte{0})
		list = append(list, Worker{key.Cookie, int(key.Tgid), key.StartNs, string(comm), w.Accepted})
	})
	if err != nil {
		return nil, fmt.Errorf("read who accepted connections: %w", err)
	}
	return list, nil
}

// Forget makes room: the process has gone, or the listener has.
func (a *Accepts) Forget(w Worker) error {
	key := acceptWorkerKey{Cookie: w.Cookie, StartNs: w.StartNs, Tgid: uint32(w.PID)}
	if err := a.objs.Workers.Delete(&key); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("forget who accepted connections: %w", err)
	}
	return nil
}

// Full is how many connections were accepted by processes that found no room.
func (a *Accepts) Full() (sum uint64, err error) {
	for _, part := range []*accepting{a.accepting, a.sctp.Load()} {
		if part == nil {
			continue
		}
		var n uint64
		if err := part.objs.WorkersFull.Get(&n); err != nil {
			return 0, fmt.Errorf("read who accepted connections: %w", err)
		}
		sum += n
	}
	return sum, nil
}

// Run is the run time of TCP's program.
func (a *Accepts) Run() (RunTime, error) {
	stats, err := a.objs.Accepted.Stats()
	if err != nil {
		return RunTime{}, fmt.Errorf("read the run time of the program at inet_csk_accept: %w", err)
	}
	return RunTime{Runs: stats.RunCount, Skipped: stats.RecursionMisses, Took: stats.Runtime}, nil
}

// Map describes the map of the program.
func (a *Accepts) Map() MapUse {
	use := MapUse{Name: "workers", Limit: int(a.objs.Workers.MaxEntries())}
	if info, err := a.objs.Workers.Info(); err == nil {
		use.Bytes, _ = info.Memlock()
	}
	return use
}

// Close detaches the programs and frees their map.
func (a *Accepts) Close() error {
	var err error
	if s := a.sctp.Load(); s != nil {
		err = s.close()
	}
	return errors.Join(err, a.close())
}

func (a *accepting) close() error { return errors.Join(a.link.Close(), a.objs.Close()) }
