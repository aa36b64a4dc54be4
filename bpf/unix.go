package bpf

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
)

// UnixLimits bound the kernel maps of Unix-domain sockets. Zero values take the defaults.
type UnixLimits struct {
	Edges     uint32 // and names that are dialled; default 8192; about 700 bytes each while in use
	RingBytes uint32 // default 256 KiB, a power of two and a multiple of the page size
	Bytes     bool   // counts bytes; without trampolines by programs that every message of every socket passes
	Types     *Types // shared with what else is opened; nil: its own
}

func (l UnixLimits) withDefaults() UnixLimits {
	l.Edges, l.RingBytes = cmp.Or(l.Edges, 8192), cmp.Or(l.RingBytes, 1<<18)
	return l
}

func (l UnixLimits) apply(spec *ebpf.CollectionSpec) {
	for name, size := range map[string]uint32{"unix_edges": l.Edges, "unix_servers": l.Edges, "unix_events": l.RingBytes} {
		if m := spec.Maps[name]; m != nil {
			m.MaxEntries = size
		}
	}
}

// UnixHook is what tells of attempts to connect to Unix-domain sockets.
type UnixHook int

// Hooks for Unix-domain sockets, the best first.
const (
	// UnixByTrampoline runs after each attempt, with its result.
	UnixByTrampoline UnixHook = iota + 1
	// UnixByCgroup runs before each attempt; what becomes of it is found out.
	UnixByCgroup
)

// Unix tells of Unix-domain sockets. Read has one caller; the other methods may be called
// concurrently with it and with each other.
type Unix struct {
	scan    unixscanObjects
	dials   unixObjects      // of UnixByCgroup
	traces  *calls           // of UnixByTrampoline
	bytes   *ebpf.Collection // nil unless UnixLimits ask for it
	hook    UnixHook
	worse   error    // why hook is not a better one
	noBytes error    // why bytes are not counted
	root    *os.File // of the cgroup v2
	links   []link.Link
	iters   map[*ebpf.Program]*link.Iter
	reader  *ringbuf.Reader
	record  ringbuf.Record
	limits  UnixLimits
}

// OpenUnix loads and attaches the programs. From then on no attempt is missed; call Adopt
// for what was connected before. Errors wrap ErrNotPermitted, ErrNoBTF or ErrUnsupported
// where they apply.
func OpenUnix(limits UnixLimits) (*Unix, error) {
	u := &Unix{limits: limits.withDefaults(), iters: make(map[*ebpf.Program]*link.Iter)}
	types := cmp.Or(limits.Types, NewTypes())
	if err := u.loadScan(types); err != nil {
		return nil, errors.Join(explain("load the programs that look at Unix-domain sockets", err), u.Close())
	}
	if u.worse = u.openTrampolines(types); u.worse == nil {
		u.hook = UnixByTrampoline
	} else if err := u.openCgroup(types); err != nil {
		return nil, errors.Join(err, u.worse, u.Close())
	} else {
		u.hook = UnixByCgroup
	}
	u.noBytes = u.openBytes(types)
	return u, nil
}

// openTrampolines hears of attempts as the kernel's functions return.
func (u *Unix) openTrampolines(types *Types) error {
	spec, err := loadUnixtrace()
	if err != nil {
		return err
	}
	u.limits.apply(spec)
	if err := spec.Variables["count_bytes"].Set(u.limits.Bytes); err != nil {
		return err
	}
	u.traces, err = openCalls(spec,
		[]string{"unix_stream_connecting", "unix_dgram_connecting", "unix_dgram_sending", "unix_listening"},
		[]string{"unix_stream_connected", "unix_dgram_connected", "unix_dgram_sent", "unix_listens"}, types.options(u.sharedMaps(spec)))
	if err != nil { // one alone would count half
		return fmt.Errorf("have programs at unix_stream_connect and its like (trampolines may be refused, even to root): %w", err)
	}
	return nil
}

func (u *Unix) loadScan(types *Types) error {
	spec, err := loadUnixscan()
	if err != nil {
		return err
	}
	u.limits.apply(spec)
	if err := spec.LoadAndAssign(&u.scan, types.options(nil)); err != nil {
		return err
	}
	for prog, over := range map[*ebpf.Program]*ebpf.Map{u.scan.ScanUnix: nil, u.scan.ScanClients: u.scan.UnixClients} {
		it, err := link.AttachIter(link.IterOptions{Program: prog, Map: over})
		if err != nil {
			return fmt.Errorf("attach iterator: %w", err)
		}
		u.iters[prog] = it
	}
	u.reader, err = ringbuf.NewReader(u.scan.UnixEvents)
	return err
}

// sharedMaps are the maps that the programs which hear of attempts work on too.
func (u *Unix) sharedMaps(spec *ebpf.CollectionSpec) map[string]*ebpf.Map {
	shared := map[string]*ebpf.Map{
		"unix_edges": u.scan.UnixEdges, "unix_servers": u.scan.UnixServers, "unix_clients": u.scan.UnixClients,
		"unix_events": u.scan.UnixEvents, "unix_counts": u.scan.UnixCounts, "unix_full": u.scan.UnixFull, "unix_empty": u.scan.UnixEmpty,
	}
	maps.DeleteFunc(shared, func(name string, _ *ebpf.Map) bool { return spec.Maps[name] == nil })
	return shared
}

// openCgroup hears of attempts at the root of the cgroup v2.
func (u *Unix) openCgroup(types *Types) (err error) {
	if u.root, err = openCgroupRoot(); err != nil {
		return err
	}
	spec, err := loadUnix()
	if err != nil {
		return err
	}
	u.limits.apply(spec)
	if err := spec.LoadAndAssign(&u.dials, types.options(u.sharedMaps(spec))); err != nil {
		return explain("load the programs that hear of connects to Unix-domain sockets", err)
	}
	links, err := attachCgroup(u.root, hook{ebpf.AttachCgroupUnixConnect, u.dials.UnixConnect}, hook{ebpf.AttachCgroupUnixSendmsg, u.dials.UnixSendmsg})
	u.links = append(u.links, links...)
	return explain("hear of connects to Unix-domain sockets", err)
}

// Hook is what tells of attempts, and why it is not a better one.
func (u *Unix) Hook() (UnixHook, error) { return u.hook, u.worse }

// Limits returns the bounds in use.
func (u *Unix) Limits() UnixLimits { return u.limits }

// Read waits for the next event and decodes it into e. It returns os.ErrClosed after
// Close, and errors that wrap ErrBadEvent for a record it cannot read.
func (u *Unix) Read(e *UnixEvent) error {
	if err := u.reader.ReadInto(&u.record); err != nil {
		if errors.Is(err, ringbuf.ErrClosed) {
			return os.ErrClosed
		}
		return fmt.Errorf("read events of Unix-domain sockets: %w", err)
	}
	return parseUnixEvent(u.record.RawSample, e)
}

// Pending is how many events wait to be read.
func (u *Unix) Pending() int {
	return u.reader.AvailableBytes() / (int(unsafe.Sizeof(unixscanUnixEvent{})) + 8)
}

// Close detaches the programs and frees their maps.
func (u *Unix) Close() error {
	errs := []error{closeLinks(u.links), u.traces.close()}
	for _, it := range u.iters {
		errs = append(errs, it.Close())
	}
	if u.reader != nil {
		errs = append(errs, u.reader.Close())
	}
	if u.dials.UnixConnect != nil {
		errs = append(errs, u.dials.Close())
	}
	if u.bytes != nil {
		u.bytes.Close()
	}
	if u.scan.ScanUnix != nil {
		errs = append(errs, u.scan.Close())
	}
	if u.root != nil {
		errs = append(errs, u.root.Close())
	}
	return errors.Join(errs...)
}

// Adopt puts connections that are older than the programs into the map of edges, and
// tells of the sockets that serve, as Sockets does.
func (u *Unix) Adopt(ctx context.Context, fn func(*UnixSocket)) error {
	if err := u.scan.Adopt.Set(uint32(1)); err != nil {
		return fmt.Errorf("look for connected Unix-domain sockets: %w", err)
	}
	err := inTwo(u.scan.Noted, u.scan.Again, func() error { return u.Sockets(ctx, fn) })
	return errors.Join(err, u.scan.Adopt.Set(uint32(0)))
}

// Sockets calls fn for every process and Unix-domain socket with a name that it holds and
// that serves, in every namespace. The pointer is valid until fn returns.
func (u *Unix) Sockets(ctx context.Context, fn func(*UnixSocket)) error {
	if err := readRecords(ctx, u.iters[u.scan.ScanUnix], fn); err != nil {
		return fmt.Errorf("look for Unix-domain sockets that serve: %w", err)
	}
	return nil
}

// Clients calls fn for every socket that dialled and is connected, or sent to a name. The
// pointer is valid until fn returns.
func (u *Unix) Clients(ctx context.Context, fn func(*UnixClient)) error {
	if err := readRecords(ctx, u.iters[u.scan.ScanClients], fn); err != nil {
		return fmt.Errorf("look for Unix-domain sockets that are connected: %w", err)
	}
	return nil
}

// StillServes asks the kernel about one socket: it may be held by no process for a moment,
// on its way from one to another.
func (u *Unix) StillServes(s *UnixSocket) (bool, error) {
	q := unixscanUnixQuestion{Sk: s.Sk, Cookie: s.Cookie, Type: uint32(s.Type)}
	if _, err := u.scan.StillServes.Run(&ebpf.RunOptions{Context: &q, ContextOut: &q}); err != nil {
		return false, fmt.Errorf("ask whether a Unix-domain socket still serves: %w", err)
	}
	return q.Answer != 0, nil
}

// Where is the path of a socket's file from the root of its mount namespace: that may have another
// name than when the socket was bound. "" where the kernel does not tell. It has one caller at a time.
func (u *Unix) Where(s *UnixSocket) (string, error) {
	q := unixscanUnixQuestion{Sk: s.Sk, Cookie: s.Cookie, Type: uint32(s.Type)}
	if _, err := u.scan.WhereBound.Run(&ebpf.RunOptions{Context: &q, ContextOut: &q}); err != nil {
		return "", fmt.Errorf("ask where the file of a Unix-domain socket is: %w", err)
	}
	var names unixscanNames
	if err := u.scan.UnixWhere.Lookup(uint32(0), &names); err != nil {
		return "", fmt.Errorf("ask where the file of a Unix-domain socket is: %w", err)
	}
	return joinPath(names.Text[:min(int(q.Answer), len(names.Text))]), nil
}

// Serve tells the programs which socket answers to a name; nil: none is known.
func (u *Unix) Serve(name UnixName, s *UnixSocket) error {
	var err error
	if s == nil {
		if err = u.scan.UnixServers.Delete(&name); errors.Is(err, ebpf.ErrKeyNotExist) {
			return nil
		}
	} else {
		err = u.scan.UnixServers.Update(&name, &unixscanUnixServer{Sk: s.Sk, Cookie: s.Cookie, Type: uint64(s.Type)}, ebpf.UpdateAny)
	}
	if err != nil {
		return fmt.Errorf("name the socket behind %x: %w", name.Hash, err)
	}
	return nil
}

// Edges calls fn for every edge that is whole. A walk beside changes may miss or repeat
// entries that change meanwhile. The pointers are valid until fn returns.
func (u *Unix) Edges(fn func(*UnixKey, *UnixEdge)) error {
	return eachEntry(u.scan.UnixEdges, func(key *UnixKey, edge *UnixEdge) {
		if edge.Whole != 0 {
			fn(key, edge)
		}
	})
}

// Edge reads one edge; ok is false when it is not there, or not whole yet.
func (u *Unix) Edge(key UnixKey) (edge UnixEdge, ok bool, err error) {
	err = u.scan.UnixEdges.Lookup(&key, &edge)
	if errors.Is(err, ebpf.ErrKeyNotExist) {
		return UnixEdge{}, false, nil
	}
	if err != nil {
		return UnixEdge{}, false, fmt.Errorf("read an edge of Unix-domain sockets: %w", err)
	}
	return edge, edge.Whole != 0, nil
}

// Evict forgets edges and calls fn with the last counters of each.
func (u *Unix) Evict(keys []UnixKey, fn func(UnixKey, *UnixEdge)) error {
	for _, key := range keys {
		var last UnixEdge
		if err := u.scan.UnixEdges.LookupAndDelete(&key, &last); err != nil {
			return fmt.Errorf("evict an edge of Unix-domain sockets: %w", err)
		}
		fn(key, &last)
	}
	return nil
}

// Counters sums the programs' totals over all CPUs.
func (u *Unix) Counters() (UnixCounters, error) {
	var perCPU []UnixCounters
	if err := u.scan.UnixCounts.Lookup(uint32(0), &perCPU); err != nil {
		return UnixCounters{}, fmt.Errorf("read counters of Unix-domain sockets: %w", err)
	}
	var sum UnixCounters
	for _, c := range perCPU {
		sum.RingFull += c.RingFull
		sum.EdgesFull += c.EdgesFull
		sum.ClientsFull += c.ClientsFull
	}
	return sum, nil
}

// Maps describes the maps of the programs.
func (u *Unix) Maps() []MapUse {
	var uses []MapUse
	for name, m := range map[string]struct {
		limit uint32
		parts []*ebpf.Map
	}{
		"unix_edges":  {u.limits.Edges, []*ebpf.Map{u.scan.UnixEdges, u.scan.UnixServers}},
		"unix_events": {u.limits.RingBytes, []*ebpf.Map{u.scan.UnixEvents}},
	} {
		use := MapUse{Name: name, Limit: int(m.limit)}
		for _, part := range m.parts {
			if info, err := part.Info(); err == nil {
				bytes, _ := info.Memlock()
				use.Bytes += bytes
			}
		}
		uses = append(uses, use)
	}
	slices.SortFunc(uses, func(a, b MapUse) int { return cmp.Compare(a.Name, b.Name) })
	return uses
}

// RunTimes tells the run time of each program, by name.
func (u *Unix) RunTimes() map[string]RunTime {
	times := make(map[string]RunTime)
	progs := map[string]*ebpf.Program{
		"unix_connect": u.dials.UnixConnect, "unix_sendmsg": u.dials.UnixSendmsg,
		"scan_unix": u.scan.ScanUnix, "scan_clients": u.scan.ScanClients,
	}
	maps.Copy(progs, u.traces.programs())
	if u.bytes != nil {
		maps.Copy(progs, u.bytes.Programs)
	}
	for name, prog := range progs {
		if prog == nil {
			continue
		}
		if stats, err := prog.Stats(); err == nil {
			times[name] = RunTime{Runs: stats.RunCount, Skipped: stats.RecursionMisses, Took: stats.Runtime}
		}
	}
	return times
}
