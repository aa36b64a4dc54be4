package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
)

// profiled runs something, and writes where its CPU time goes and what it leaves in memory
// to files of a directory, if there is one.
func profiled(dir, name string, run func() error) error {
	if dir == "" {
		return run()
	}
	cpu, err := os.Create(filepath.Join(dir, name+".cpu"))
	if err != nil {
		return fmt.Errorf("make a profile: %w", err)
	}
	if err := pprof.StartCPUProfile(cpu); err != nil {
		return errors.Join(fmt.Errorf("make a profile: %w", err), cpu.Close())
	}
	err = run()
	pprof.StopCPUProfile()
	heap, made := os.Create(filepath.Join(dir, name+".heap"))
	if made == nil {
		made = errors.Join(pprof.Lookup("heap").WriteTo(heap, 0), heap.Close())
	}
	return errors.Join(err, cpu.Close(), made)
}
