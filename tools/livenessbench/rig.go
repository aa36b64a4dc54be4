package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"cassini/tools/estate"
)

// rig is one estate with a place for files.
type rig struct {
	*estate.Estate
	hosts []string
	dir   string
}

// newRig builds an estate of n hosts.
func newRig(n int) (*rig, error) {
	switches, each, err := shape(n)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "livenessbench-")
	if err != nil {
		return nil, fmt.Errorf("make a directory: %w", err)
	}
	r := &rig{dir: dir}
	prefix := fmt.Sprintf("lb%d", os.Getpid())
	if r.Estate, err = estate.New(estate.Config{Prefix: prefix, Switches: switches, HostsPerSwitch: each}); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	for _, h := range r.Hosts() {
		r.hosts = append(r.hosts, h.Name)
	}
	return r, nil
}

// shape is how many switches of how many hosts there are.
func shape(n int) (switches, each int, err error) {
	switch {
	case n >= 8 && n <= 40 && n%2 == 0:
		switches = 2
	case n == 100:
		switches = 4
	case n >= 50 && n <= 2000 && n%30 == 0:
		switches = n / 30
	case n >= 50 && n <= 2000 && n%25 == 0:
		switches = n / 25
	default:
		return 0, 0, fmt.Errorf("%d hosts: want an even number from 8 to 40, or a multiple of 25 or 30 from 50 to 2000", n)
	}
	return switches, n / switches, nil
}

func (r *rig) close() error { return errors.Join(r.Estate.Close(), os.RemoveAll(r.dir)) }

// setLoss makes every packet be lost with the same chance, whatever its way: each cable
// drops what comes out at its host's end, and nothing of what comes from the host.
func (r *rig) setLoss(percent float64) error {
	for _, name := range append([]string{r.Manager().Name}, r.hosts...) {
		if err := r.Loss(name, estate.Loss{Percent: percent}, estate.Loss{}); err != nil {
			return err
		}
	}
	return nil
}

// victim is the nth host to be crashed: on another switch each time, and never the first
// of a switch, which others join by.
func (r *rig) victim(n int) string {
	all := r.Hosts()
	switches := all[len(all)-1].Switch
	each := len(all) / switches
	return fmt.Sprintf("s%d-h%d", n%switches+1, 2+(3*(n/switches)+n)%(each-1))
}

// frozen are four hosts, of up to three switches.
func (r *rig) frozen() []string {
	all := r.Hosts()
	last := all[len(all)-1].Switch
	return []string{"s1-h2", "s1-h4", "s2-h3", fmt.Sprintf("s%d-h2", last)}
}

// Limits of the kernel's table of neighbors, which all namespaces share.
const neighborLimits = "/proc/sys/net/ipv4/neigh/default/gc_thresh"

// raiseNeighborLimits makes room for many hosts that know each other, and returns what
// sets the limits as they were.
func raiseNeighborLimits() (restore func() error, err error) {
	was := make(map[string]string)
	restore = func() error {
		var errs []error
		for path, value := range was {
			errs = append(errs, os.WriteFile(path, []byte(value), 0))
		}
		return errors.Join(errs...)
	}
	for i, value := range []string{"65536", "131072", "262144"} {
		path := fmt.Sprint(neighborLimits, i+1)
		old, err := os.ReadFile(path)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("read the limits of neighbors: %w", err), restore())
		}
		if err := os.WriteFile(path, []byte(value), 0); err != nil {
			return nil, errors.Join(fmt.Errorf("raise the limits of neighbors: %w", err), restore())
		}
		was[path] = strings.TrimSpace(string(old))
	}
	return restore, nil
}

// logDir makes a place for the files of one system.
func (r *rig) logDir(name string) (string, error) {
	dir := filepath.Join(r.dir, name)
	return dir, os.MkdirAll(dir, 0o700)
}
