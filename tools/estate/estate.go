package estate

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"sync"
)

// Bounds of a Config, of the addresses.
const (
	MaxSwitches = 254
	MaxHosts    = 244 // per switch
)

// Names of the namespaces that are no host, behind the prefix.
const (
	managerName = "manager"
	coreName    = "core"
)

// Errors of an estate's methods.
var (
	ErrUnknown = errors.New("no such part of the estate")
	ErrConfig  = errors.New("such an estate cannot be")
)

// Config says how large the estate is.
type Config struct {
	Prefix         string // of all namespaces; two estates on a machine need two
	Switches       int
	HostsPerSwitch int
}

var prefixForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,47}$`)

func (c Config) check() error {
	switch {
	case !prefixForm.MatchString(c.Prefix):
		return fmt.Errorf("build estate %q: %w: a prefix is up to 48 of a-z, 0-9 and -, with a letter first", c.Prefix, ErrConfig)
	case c.Switches < 0 || c.Switches > MaxSwitches || c.HostsPerSwitch < 0 || c.HostsPerSwitch > MaxHosts:
		return fmt.Errorf("build estate %s: %w: %d switches of %d hosts, at most %d of %d", c.Prefix, ErrConfig, c.Switches, c.HostsPerSwitch, MaxSwitches, MaxHosts)
	}
	return nil
}

// Host is one host, or the manager.
type Host struct {
	Name      string // such as s1-h2, or manager: its host name
	Switch    int    // from 1; 0 is the manager's own cable to the core
	Addr      netip.Addr
	Gateway   netip.Addr
	Namespace string // Prefix-Name
	Path      string // of the namespace's file
}

// Estate is what New built. Its methods may be called concurrently until Close.
type Estate struct {
	config  Config
	nodes   []*node // all, in the order of their making
	core    *node
	hosts   []*host // the manager is the last
	byName  map[string]*host
	bridges map[int]*node

	mu sync.Mutex // one fault or repair at a time
}

// host is a Host with both ends of its cable: eth0, and a port of what it is plugged in.
type host struct {
	Host
	node    *node
	at      *node
	port    string
	in, out *dropper
}

// New builds the estate, after what a killed run may have left of one with this prefix
// was removed. When it fails it leaves nothing. Errors wrap ErrConfig for a bad Config.
func New(c Config) (*Estate, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	if err := Remove(c.Prefix); err != nil {
		return nil, err
	}
	e := &Estate{config: c, byName: make(map[string]*host), bridges: make(map[int]*node)}
	if err := e.build(); err != nil {
		return nil, errors.Join(fmt.Errorf("build estate %s: %w", c.Prefix, err), e.Close())
	}
	return e, nil
}

// Close ends the programs that Command started and removes all namespaces. It is called
// once, when no other method runs any more.
func (e *Estate) Close() error {
	var errs []error
	for _, h := range e.hosts {
		errs = append(errs, h.in.close(), h.out.close())
	}
	for _, n := range e.nodes {
		errs = append(errs, n.close())
	}
	return errors.Join(errs...)
}

// Hosts are all hosts, switch by switch, without the manager.
func (e *Estate) Hosts() []Host {
	var all []Host
	for _, h := range e.hosts {
		if h.Switch != 0 {
			all = append(all, h.Host)
		}
	}
	return all
}

// Manager is the host of the manager.
func (e *Estate) Manager() Host { return e.byName[managerName].Host }

func (e *Estate) host(name string) (*host, error) {
	if h := e.byName[name]; h != nil {
		return h, nil
	}
	return nil, fmt.Errorf("find host %q: %w", name, ErrUnknown)
}

func (e *Estate) bridge(number int) (*node, error) {
	if n := e.bridges[number]; n != nil {
		return n, nil
	}
	return nil, fmt.Errorf("find switch %d: %w", number, ErrUnknown)
}
