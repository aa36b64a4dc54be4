package bpf

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// Worker is a process that took connections from a TCP listener.
type Worker struct {
	Cookie   uint64 // of the listener
	PID      int
	StartNs  uint64 // of the process, CLOCK_BOOTTIME
	Comm     string
	Accepted uint64
}

// Accepts counts what processes accept from TCP listeners. Its methods may be called
// concurrently, but for Close.
type Accepts struct {
	objs acceptObjects
	link link.Link
}

// OpenAccepts loads and attaches the program. types may be nil. An error says that this
// kernel does not allow it: then the listener's owner has what was accepted.
func OpenAccepts(types *Types) (*Accepts, error) {
	spec, err := loadAccept()
	if err != nil {
		return nil, err
	}
	a := &Accepts{}
	if err := spec.LoadAndAssign(&a.objs, &ebpf.CollectionOptions{Cache: types.orOwn()}); err != nil {
		return nil, fmt.Errorf("load the program at inet_csk_accept (trampolines may be refused, even to root): %w", err)
	}
	if a.link, err = link.AttachTracing(link.TracingOptions{Program: a.objs.Accepted}); err != nil {
		err = fmt.Errorf("attach to inet_csk_accept (trampolines may be refused, even to root): %w", err)
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
func (a *Accepts) Full() (n uint64, err error) {
	if err := a.objs.WorkersFull.Get(&n); err != nil {
		return 0, fmt.Errorf("read who accepted connections: %w", err)
	}
	return n, nil
}

// Run is the run time of the program.
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

// Close detaches the program and frees its map.
func (a *Accepts) Close() error { return errors.Join(a.link.Close(), a.objs.Close()) }
