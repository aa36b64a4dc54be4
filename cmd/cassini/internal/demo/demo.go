// Package demo lets a person kill things in a small estate of network namespaces and
// watch what Cassini says: commands come in as lines, what happens goes out as lines.
package demo

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"cassini/model"
	"cassini/tools/estate"
	"cassini/tools/estate/fleet"

	"golang.org/x/sys/unix"
)

// Config is what Run needs.
type Config struct {
	Binary          string // cassini itself
	Dir             string // for data and logs
	Switches, Hosts int    // hosts on each switch
	Profile         string
	Listen          string // HOST:PORT at which the manager's API is reached from outside
	In              io.Reader
	Out             io.Writer
	Prompt          bool // show one: a person types
}

// prefix of the estate's namespaces.
const prefix = "cassini-demo"

// demo is one run.
type demo struct {
	cfg    Config
	estate *estate.Estate
	fleet  *fleet.Fleet
	out    sync.Mutex
}

// Run builds the estate, serves commands until the input or the context ends, and takes
// everything away.
func Run(ctx context.Context, cfg Config) (err error) {
	e, err := estate.New(estate.Config{Prefix: prefix, Switches: cfg.Switches, HostsPerSwitch: cfg.Hosts})
	if err != nil {
		return fmt.Errorf("build the estate: %w", err)
	}
	d := &demo{cfg: cfg, estate: e, fleet: fleet.New(fleet.Config{Estate: e, Binary: cfg.Binary, Dir: cfg.Dir, Profile: cfg.Profile})}
	ctx, stop := context.WithCancel(ctx)
	var parts sync.WaitGroup
	defer func() {
		stop()
		parts.Wait()
		d.fleet.Close()
		err = errors.Join(err, e.Close())
	}()
	if err := d.boot(ctx); err != nil {
		return err
	}
	l, err := net.Listen("tcp", cfg.Listen)
	if err != nil {
		return fmt.Errorf("reach the demo's manager from outside: %w; choose another port with --listen", err)
	}
	parts.Go(func() { d.forward(ctx, l) })
	parts.Go(func() { d.follow(ctx) })
	d.say("the manager answers at http://%s: in another terminal, CASSINI_API=http://%s cassini rings", l.Addr(), l.Addr())
	return d.serve(ctx)
}

func (d *demo) say(format string, args ...any) {
	d.out.Lock()
	defer d.out.Unlock()
	fmt.Fprintf(d.cfg.Out, format+"\n", args...)
}

// boot starts everything and waits until the rings are whole.
func (d *demo) boot(ctx context.Context) error {
	d.say("starting a manager and %d agents on %d switches, in network namespaces %s-...", d.cfg.Switches*d.cfg.Hosts, d.cfg.Switches, prefix)
	if err := d.fleet.StartManager(); err != nil {
		return err
	}
	if err := d.until(ctx, func() bool { return d.members() >= 0 }); err != nil {
		return fmt.Errorf("the manager does not answer; see %s: %w", d.fleet.LogPath(fleet.Manager), err)
	}
	for _, h := range d.estate.Hosts() {
		if err := d.fleet.StartAgent(h.Name); err != nil {
			return err
		}
	}
	if err := d.until(ctx, func() bool { return d.members() == d.cfg.Switches*d.cfg.Hosts }); err != nil {
		return fmt.Errorf("the rings do not become whole; see the logs in %s: %w", d.cfg.Dir, err)
	}
	d.say("all rings are whole")
	return nil
}

const bootTime = time.Minute

func (d *demo) until(ctx context.Context, done func() bool) error {
	ctx, cancel := context.WithTimeout(ctx, bootTime)
	defer cancel()
	for !done() {
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// members of whole rings; -1 when the manager does not answer.
func (d *demo) members() int {
	var rings []model.RingHealth
	if d.fleet.Get("rings", &rings) != nil {
		return -1
	}
	n := 0
	for _, r := range rings {
		if r.Level == 0 && r.State == model.RingWhole {
			n += len(r.Members)
		}
	}
	return n
}

// forward lets people outside reach the manager.
func (d *demo) forward(ctx context.Context, l net.Listener) {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var all sync.WaitGroup
	defer all.Wait()
	for {
		outside, err := l.Accept()
		if err != nil {
			return // closed
		}
		all.Go(func() { d.join(ctx, outside) })
	}
}

func (d *demo) join(ctx context.Context, outside net.Conn) {
	defer outside.Close()
	inside, err := d.fleet.Dial(ctx, "tcp", d.fleet.ManagerAddr())
	if err != nil {
		return
	}
	defer inside.Close()
	stop := context.AfterFunc(ctx, func() { outside.Close(); inside.Close() })
	defer stop()
	var both sync.WaitGroup
	for _, way := range [][2]net.Conn{{inside, outside}, {outside, inside}} {
		both.Go(func() {
			_, _ = io.Copy(way[0], way[1])
			if tcp, ok := way[0].(*net.TCPConn); ok {
				_ = tcp.CloseWrite()
			}
		})
	}
	both.Wait()
}

// follow tells of incidents as they change.
func (d *demo) follow(ctx context.Context) {
	told := make(map[string]string)
	for {
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
			return
		}
		var list []model.Incident
		if d.fleet.Get("incidents", &list) != nil {
			continue
		}
		for _, i := range slices.Backward(list) {
			if now := i.State + " " + i.Summary; told[i.ID] != now {
				told[i.ID] = now
				d.say("%s  %-9s %s", time.Now().Format("15:04:05.0"), i.State, i.Summary)
			}
		}
	}
}

// serve takes commands until there are no more.
func (d *demo) serve(ctx context.Context) error {
	lines := make(chan string)
	go func() { // ends with the input, or the process
		defer close(lines)
		in := bufio.NewScanner(d.cfg.In)
		for in.Scan() {
			lines <- in.Text()
		}
	}()
	d.say("type help for what can be done")
	for {
		if d.cfg.Prompt {
			d.out.Lock()
			fmt.Fprint(d.cfg.Out, "demo> ")
			d.out.Unlock()
		}
		select {
		case <-ctx.Done():
			return nil
		case line, more := <-lines:
			if !more {
				return nil
			}
			words := strings.Fields(line)
			if len(words) == 0 {
				continue
			}
			if words[0] == "quit" || words[0] == "exit" {
				return nil
			}
			if err := d.command(ctx, words[0], words[1:]); err != nil {
				d.say("%s: %v", words[0], err)
			}
		}
	}
}

// command is one thing that can be done.
type command struct {
	args, about string
	do          func(ctx context.Context, args []string) error
}

func (d *demo) commands() map[string]command {
	signal := func(s unix.Signal) func(context.Context, []string) error {
		return func(_ context.Context, args []string) error { return d.fleet.Signal(args[0], s) }
	}
	host := func(do func(string) error) func(context.Context, []string) error {
		return func(_ context.Context, args []string) error { return do(args[0]) }
	}
	numbered := func(do func(int) error) func(context.Context, []string) error {
		return func(_ context.Context, args []string) error {
			n, err := strconv.Atoi(args[0])
			if err != nil {
				return fmt.Errorf("%q is no number of a switch", args[0])
			}
			return do(n)
		}
	}
	return map[string]command{
		"crash":     {"HOST", "cut its power", host(d.fleet.Crash)},
		"boot":      {"HOST", "switch it on again", host(d.fleet.Boot)},
		"kill":      {"HOST", "kill its agent (or the manager: kill manager)", signal(unix.SIGKILL)},
		"stop":      {"HOST", "stop its agent in order", signal(unix.SIGTERM)},
		"shutdown":  {"HOST", "shut it down in order", signal(unix.SIGPWR)},
		"start":     {"HOST", "start its agent (or the manager)", host(d.start)},
		"freeze":    {"HOST", "give its agent no CPU", signal(unix.SIGSTOP)},
		"thaw":      {"HOST", "give it CPU again", signal(unix.SIGCONT)},
		"cut":       {"HOST", "take its interface down", host(d.estate.CutLink)},
		"mend":      {"HOST", "take its interface up again", host(d.estate.MendLink)},
		"loss":      {"HOST PERCENT", "lose so much of what is sent to it", d.loss},
		"switch":    {"NUMBER", "switch off a switch", numbered(d.estate.StopSwitch)},
		"switchon":  {"NUMBER", "switch it on again", numbered(d.estate.StartSwitch)},
		"partition": {"NUMBER", "cut a switch's cable to the others", numbered(d.estate.Partition)},
		"heal":      {"NUMBER", "mend it", numbered(d.estate.Heal)},
		"hosts":     {"", "show hosts, and who watches them", d.show("hosts")},
		"rings":     {"", "show the rings", d.show("rings")},
		"incidents": {"", "show what died, with the evidence", d.show("incidents")},
		"wait":      {"DURATION", "do nothing for a while, for scripts: wait 5s", d.wait},
	}
}

func (d *demo) command(ctx context.Context, name string, args []string) error {
	all := d.commands()
	c, ok := all[name]
	switch {
	case name == "help":
		d.help(all)
		return nil
	case !ok:
		return errors.New("no such command; type help")
	case len(args) != len(strings.Fields(c.args)):
		return fmt.Errorf("want: %s %s", name, c.args)
	}
	return c.do(ctx, args)
}

func (d *demo) help(all map[string]command) {
	names := make([]string, 0, len(all))
	for name := range all {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		d.say("  %-22s %s", name+" "+all[name].args, all[name].about)
	}
	d.say("  %-22s %s", "quit", "take everything away and end")
	var hosts []string
	for _, h := range d.estate.Hosts() {
		hosts = append(hosts, h.Name)
	}
	d.say("hosts: %s; switches: 1 to %d", strings.Join(hosts, " "), d.cfg.Switches)
}

func (d *demo) start(host string) error {
	if host == fleet.Manager {
		return d.fleet.StartManager()
	}
	return d.fleet.StartAgent(host)
}

func (d *demo) loss(_ context.Context, args []string) error {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(args[1], "%"), 64)
	if err != nil {
		return fmt.Errorf("%q is no percentage", args[1])
	}
	return d.estate.Loss(args[0], estate.Loss{Percent: percent}, estate.Loss{})
}

func (d *demo) wait(ctx context.Context, args []string) error {
	pause, err := time.ParseDuration(args[0])
	if err != nil {
		return fmt.Errorf("%q is no duration such as 5s", args[0])
	}
	select {
	case <-time.After(pause):
	case <-ctx.Done():
	}
	return nil
}

// show runs cassini in the manager's namespace.
func (d *demo) show(what string) func(context.Context, []string) error {
	return func(ctx context.Context, _ []string) error {
		cmd := d.estate.Command(ctx, fleet.Manager, d.cfg.Binary, what, "--config", os.DevNull, "--api", "http://"+d.fleet.ManagerAddr())
		out, err := cmd.CombinedOutput()
		d.say("%s", strings.TrimRight(string(out), "\n"))
		return err
	}
}
