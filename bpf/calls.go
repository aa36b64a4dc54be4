package bpf

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

// calls are attached programs that count calls of the kernel's functions as they return: calls.h.
type calls struct {
	*ebpf.Collection
	links []link.Link
}

// openCalls loads and attaches the programs of a collection that are named: those that run as functions
// begin, if this kernel needs them, and those that run as they end, as often as it does.
func openCalls(spec *ebpf.CollectionSpec, begins, ends []string, opts *ebpf.CollectionOptions) (*calls, error) {
	copies := callCopies()
	if copies == 1 {
		begins = nil
	}
	if err := spec.Variables["copied"].Set(copies > 1); err != nil {
		return nil, err
	}
	begins, ends = repeat(spec, begins, copies), repeat(spec, ends, copies)
	maps.DeleteFunc(spec.Programs, func(name string, _ *ebpf.ProgramSpec) bool {
		return !slices.Contains(begins, name) && !slices.Contains(ends, name)
	})
	loaded, err := loadAll(spec, *cmp.Or(opts, &ebpf.CollectionOptions{}))
	if err != nil {
		return nil, fmt.Errorf("load: %w", err)
	}
	c := &calls{Collection: loaded}
	for _, name := range slices.Concat(begins, ends) {
		links, err := attachTracing(loaded.Programs[name])
		if err != nil {
			return nil, errors.Join(err, c.close())
		}
		c.links = append(c.links, links...)
	}
	return c, nil
}

// repeat adds copies of programs, so that there are as many of each, and returns the names of all.
func repeat(spec *ebpf.CollectionSpec, names []string, copies int) []string {
	all := slices.Clone(names)
	for i := 2; i <= copies; i++ {
		for _, name := range names {
			again := name + "_" + strconv.Itoa(i)
			spec.Programs[again] = spec.Programs[name].Copy()
			all = append(all, again)
		}
	}
	return all
}

// close detaches the programs and frees what they alone have; it may be called of none.
func (c *calls) close() error {
	if c == nil {
		return nil
	}
	err := closeLinks(c.links)
	c.Close()
	return err
}

// programs are these programs by name; those of a copy bear its number.
func (c *calls) programs() map[string]*ebpf.Program {
	if c == nil {
		return nil
	}
	return c.Programs
}
