package main

import (
	"path/filepath"
	"time"

	"cassini/kernel-tests/vm/internal/record"
)

// record writes down what became of a kernel in docs/kernels.json and docs/kernels.md. One that
// could not be had or did not boot is not told there.
func (l *lab) record(r Result, now time.Time) error {
	if l.opts.docs == "" || r.Run.Release == "" {
		return nil
	}
	path := filepath.Join(l.opts.docs, "kernels.json")
	all, err := record.Read(path)
	if err != nil {
		return err
	}
	all.Put(l.tried(r, now))
	return all.Save(path, filepath.Join(l.opts.docs, "kernels.md"))
}

func (l *lab) tried(r Result, now time.Time) record.Tried {
	tried := record.Tried{
		Kernel: r.Name(), Arch: r.Arch, Booted: l.opts.append, Package: r.Package, Version: r.Version,
		On: now.UTC().Format(time.DateOnly), Tests: r.counts(),
	}
	for _, b := range r.Binaries {
		tried.Binaries = append(tried.Binaries, b.Name)
	}
	for _, f := range r.Failures {
		tried.Failed = append(tried.Failed, f.What)
	}
	for _, h := range r.Run.Hooks {
		tried.Hooks = append(tried.Hooks, record.Hook{Fact: h["fact"], Hook: h["hook"], First: h["first"] == "true"})
	}
	return tried
}
