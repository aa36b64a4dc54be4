package bpf

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
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
	tcp  *calls
	sctp atomic.Pointer[calls] // nil while SCTP's are not counted
}

// OpenAccepts loads and attaches the program. types may be nil. An error says that this
// kernel does not allow it: then the listener's owner has what was accepted.
func OpenAccepts(types *Types) (*Accepts, error) {
	a, err := openAccepting("inet_csk_accept", types.options(nil))
	if err != nil {
		return nil, err
	}
	return &Accepts{tcp: a}, nil
}

// OpenSCTP counts those of SCTP too, once the kernel has loaded it. An error says that this kernel
// does not allow it.
func (a *Accepts) OpenSCTP() error {
	if a.sctp.Load() != nil {
		return nil
	}
	// Its own types: those of the start may not have SCTP's.
	s, err := openAccepting("sctp_accept", &ebpf.CollectionOptions{Cache: btf.NewCache(), MapReplacements: map[string]*ebpf.Map{"workers": a.workers()}})
	if err != nil {
		return err
	}
	a.sctp.Store(s)
	return nil
}

// openAccepting has the program run when a function returns whose first argument is the listener
// and whose result is what was accepted.
func openAccepting(function string, opts *ebpf.CollectionOptions) (*calls, error) {
	spec, err := loadAccept()
	if err != nil {
		return nil, err
	}
	for _, p := range spec.Programs {
		p.AttachTo = function
	}
	c, err := openCalls(spec, []string{"accepting"}, []string{"accepted"}, opts)
	if err != nil {
		return nil, fmt.Errorf("have a program at %s (trampolines may be refused, even to root): %w", function, err)
	}
	return c, nil
}

// workers is the one map of both.
func (a *Accepts) workers() *ebpf.Map { return a.tcp.Maps["workers"] }

// Workers lists the processes that accepted connections. A walk beside changes may miss or
// repeat entries that change meanwhile.
func (a *Accepts) Workers() ([]Worker, error) {
	var list []Worker
	err := eachEntry(a.workers(), func(key *acceptWorkerKey, w *acceptWorker) {
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
	if err := a.workers().Delete(&key); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
		return fmt.Errorf("forget who accepted connections: %w", err)
	}
	return nil
}

// Full is how many connections were accepted by processes that found no room.
func (a *Accepts) Full() (sum uint64, err error) {
	for _, part := range []*calls{a.tcp, a.sctp.Load()} {
		if part == nil {
			continue
		}
		var n uint64
		if err := part.Variables["workers_full"].Get(&n); err != nil {
			return 0, fmt.Errorf("read who accepted connections: %w", err)
		}
		sum += n
	}
	return sum, nil
}

// Map describes the map of the program.
func (a *Accepts) Map() MapUse {
	use := MapUse{Name: "workers", Limit: int(a.workers().MaxEntries())}
	if info, err := a.workers().Info(); err == nil {
		use.Bytes, _ = info.Memlock()
	}
	return use
}

// Close detaches the programs and frees their map.
func (a *Accepts) Close() error { return errors.Join(a.sctp.Load().close(), a.tcp.close()) }
