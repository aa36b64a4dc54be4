package bpf

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
)

// Types are the kernel's types. Taking them apart costs tens of milliseconds and several
// MiB: whatever is opened at one start shares them, and they are let go afterwards. It is
// safe for concurrent use.
type Types struct{ cache *btf.Cache }

// NewTypes returns types that are read when they are first needed.
func NewTypes() *Types { return &Types{btf.NewCache()} }

// options are those to load programs by, whoever else uses the types at the same time. The library
// looks for types in all modules as well, and reads those of the kernel by theirs without
// the kernel's lock (cilium/ebpf v0.22, btf/unmarshal.go, inflateType): two that do so at once end the
// process. So it is told to look at the kernel's own alone; where some that programs need are a
// module's, each has a cache of its own, as where there are no types, which are nil.
func (t *Types) options(replace map[string]*ebpf.Map) *ebpf.CollectionOptions {
	isModule := func(name string) bool {
		_, err := os.Stat(filepath.Join("/sys/kernel/btf", name))
		return err == nil
	}
	if t == nil || slices.ContainsFunc([]string{"unix", "af_packet", "ipv6"}, isModule) {
		return &ebpf.CollectionOptions{Cache: btf.NewCache(), MapReplacements: replace}
	}
	opts := &ebpf.CollectionOptions{Cache: t.cache, MapReplacements: replace}
	if kernel, err := t.cache.Kernel(); err == nil {
		opts.Programs.KernelTypes = kernel
	}
	return opts
}

// hasFunction says whether the kernel itself, not a module, has a function of this name.
func (t *Types) hasFunction(name string) bool {
	kernel, err := t.cache.Kernel()
	if err != nil {
		return false
	}
	var f *btf.Func
	return kernel.TypeByName(name, &f) == nil
}

// programCopies is how often a program must be attached so that none of its runs is left out:
// the kernel does not enter one again on a CPU that is inside it (tcp.c).
func programCopies() int {
	if preempted() {
		return 3
	}
	return 2
}

// callCopies is likewise of a program at a function that no interrupt runs: calls.h. A kernel that
// preempts its own tasks does so there before Linux 7.0 too.
func callCopies() int {
	if preempted() || preemptsItself() {
		return 3
	}
	return 1
}

// loadAll loads a collection. The library takes programs in any order: where some are refused, the
// error here is of the first by name, so that a kernel always gives one reason.
func loadAll(spec *ebpf.CollectionSpec, opts ebpf.CollectionOptions) (*ebpf.Collection, error) {
	loaded, err := ebpf.NewCollectionWithOptions(spec, opts)
	if err == nil {
		return loaded, nil
	}
	for _, name := range slices.Sorted(maps.Keys(spec.Programs)) {
		one := spec.Copy()
		one.Programs = map[string]*ebpf.ProgramSpec{name: one.Programs[name]}
		alone, refused := ebpf.NewCollectionWithOptions(one, opts)
		if refused != nil {
			return nil, refused
		}
		alone.Close()
	}
	return nil, err
}

// loadEach loads programs of a collection, each on a thread of its own: the verifier takes
// most of a start, and the kernel lets several look at once. All maps that they share must
// be in replace.
func loadEach(spec *ebpf.CollectionSpec, into map[string]**ebpf.Program, types *Types, replace map[string]*ebpf.Map) error {
	var loading sync.WaitGroup
	var mu sync.Mutex
	var errs []error
	for name, to := range into {
		one := spec.Copy()
		one.Programs = map[string]*ebpf.ProgramSpec{name: one.Programs[name]}
		loading.Go(func() {
			loaded, err := ebpf.NewCollectionWithOptions(one, *types.options(replace))
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
				return
			}
			*to = loaded.DetachProgram(name)
			loaded.Close()
		})
	}
	loading.Wait()
	return errors.Join(errs...)
}
