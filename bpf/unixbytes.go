package bpf

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/cilium/ebpf"
)

// ErrWithoutUnixBytes says that nobody wants bytes over Unix-domain sockets to be counted.
var ErrWithoutUnixBytes = errors.New("bytes over Unix-domain sockets are not counted, as UnixLimits do not ask for them")

// bytePrograms are those that count bytes, by hook. What datagram sockets send,
// the programs of UnixByTrampoline count themselves.
var bytePrograms = map[UnixHook][]string{
	UnixByTrampoline: {"unix_stream_sent", pagesSent, "unix_stream_received", "unix_dgram_received"},
	UnixByCgroup:     {"unix_bytes_sent", "unix_bytes_received"},
}

// pagesSent is of kernels before Linux 6.5, which send files by a function of its own.
const pagesSent = "unix_page_sent"

// openBytes loads and attaches the programs that count bytes: all, as some would be misleading.
func (u *Unix) openBytes(types *Types) error {
	if !u.limits.Bytes {
		return ErrWithoutUnixBytes
	}
	spec, err := loadUnixbytes()
	if err != nil {
		return err
	}
	u.limits.apply(spec)
	maps.DeleteFunc(spec.Programs, func(name string, prog *ebpf.ProgramSpec) bool {
		return !slices.Contains(bytePrograms[u.hook], name) || name == pagesSent && !types.hasFunction(prog.AttachTo)
	})
	coll, err := loadAll(spec, *types.options(u.sharedMaps(spec)))
	if err != nil {
		return explain("load the programs for bytes over Unix-domain sockets (without trampolines Linux 6.3 is needed)", err)
	}
	links, err := attachTracing(slices.Collect(maps.Values(coll.Programs))...)
	if err != nil {
		coll.Close()
		return fmt.Errorf("attach the programs for bytes over Unix-domain sockets: %w", err)
	}
	u.bytes, u.links = coll, append(u.links, links...)
	return nil
}

// BytesSkipped is how many messages were not counted, as the kernel does not enter a program again
// on a CPU that is inside it. It is 0 where bytes are not counted.
func (u *Unix) BytesSkipped() (uint64, error) {
	if u.bytes == nil {
		return 0, nil
	}
	var skipped uint64
	for name, prog := range u.bytes.Programs {
		stats, err := prog.Stats()
		if err != nil {
			return 0, fmt.Errorf("read what %s was not run for: %w", name, err)
		}
		skipped += stats.RecursionMisses
	}
	return skipped, nil
}

// Bytes tells what keeps bytes from being counted, or nil.
func (u *Unix) Bytes() error { return u.noBytes }
