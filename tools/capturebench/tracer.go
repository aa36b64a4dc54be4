package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"cassini/tools/bench"
)

// tracer is something that people watch connections with.
type tracer struct {
	name    string
	command []string
	pkg     string // of Debian that has it; "" for what is always there
	// ready waits until it traces; nil waits for config.Settle.
	ready func(context.Context, *tracing) error
	// tell says what it told of connections to a port, once it was stopped or, where early,
	// before. nil for who tells nothing.
	tell  func(context.Context, *tracing, truth) (told, error)
	early bool
}

// truth is what this program knows of connections.
type truth struct {
	port     int            // of the server
	pids     map[int]string // what each process is, client or server
	programs map[string]string
}

const (
	client = "client"
	server = "server"
)

// told is how many ends of connections a tracer tells, on each side, and by what the
// process is that it names: client, server, or "" for another and for none.
type told struct{ clients, servers map[string]int }

func nothing() told { return told{clients: make(map[string]int), servers: make(map[string]int)} }

func all(ends map[string]int) (n int) {
	for _, of := range ends {
		n += of
	}
	return n
}

// add counts one end of a connection at the process that a tracer names.
func (t told) add(pid, local, remote string, of truth) {
	n, err := strconv.Atoi(pid)
	if err != nil {
		return
	}
	switch strconv.Itoa(of.port) {
	case local:
		t.servers[of.pids[n]]++
	case remote:
		t.clients[of.pids[n]]++
	}
}

// tracers are nobody, Cassini, and the others. bcc's tools in Debian's libbpf-tools use
// tracepoints, as this kernel may have no kprobes; bpftrace's own tcplife.bt has kprobes, so
// that it is a script of the same purpose at the tracepoint.
func tracers(cfg config) []tracer {
	return []tracer{
		{name: nobody},
		{name: ours, command: []string{cfg.Binary, "run", "--config", "empty.yaml", "--data-dir", "data", "--listen", apiAddr}, ready: cassiniReady, tell: cassiniTells, early: true},
		{name: "bcc tcplife", pkg: "libbpf-tools", command: []string{"tcplife"}, tell: tcplifeTells},
		{name: "bcc tcpstates", pkg: "libbpf-tools", command: []string{"tcpstates"}, tell: tcpstatesTells},
		{name: "bpftrace, a line for each end", pkg: "bpftrace", command: []string{"bpftrace", "-e", script}, tell: scriptTells},
		{name: "ss, each second", pkg: "iproute2", command: []string{"sh", "-c", "while :; do ss -Htnp; sleep 1; done"}, tell: ssTells},
		{name: "conntrack's events", pkg: "conntrack", command: []string{"sh", "-c", "iptables -A INPUT -m conntrack --ctstate NEW && exec conntrack -E -p tcp"}, tell: conntrackTells},
	}
}

const (
	nobody = "nobody"
	ours   = "Cassini"
)

// script tells each end of a connection that was established, once it is closed.
const script = `tracepoint:sock:inet_sock_set_state /args->protocol == 6/ {
	if (args->newstate == 1) { @open[args->skaddr] = 1; }
	if (args->newstate == 7 && @open[args->skaddr]) { delete(@open[args->skaddr]); printf("%d %d %d\n", pid, args->sport, args->dport); }
}`

// tracing is a tracer at work.
type tracing struct {
	tracer
	cfg config
	dir string
	cmd *exec.Cmd
}

// trace starts a tracer in a directory of its own and waits until it traces.
func (t tracer) trace(ctx context.Context, cfg config) (*tracing, error) {
	r := &tracing{tracer: t, cfg: cfg}
	if t.command == nil {
		return r, nil
	}
	var err error
	if r.dir, err = os.MkdirTemp(cfg.Dir, "tracer"); err != nil {
		return nil, fmt.Errorf("make a place for %s: %w", t.name, err)
	}
	if err := os.WriteFile(filepath.Join(r.dir, "empty.yaml"), nil, 0o600); err != nil {
		return nil, fmt.Errorf("write an empty configuration: %w", err)
	}
	// Into files: to read a pipe would cost this program time.
	out, err := os.Create(filepath.Join(r.dir, "out"))
	if err != nil {
		return nil, fmt.Errorf("make a file for what %s says: %w", t.name, err)
	}
	defer out.Close()
	problems, err := os.Create(filepath.Join(r.dir, "err"))
	if err != nil {
		return nil, fmt.Errorf("make a file for what %s says: %w", t.name, err)
	}
	defer problems.Close()
	r.cmd = exec.Command(t.command[0], t.command[1:]...)
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = r.dir, out, problems
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := r.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s (Debian's package %s): %w", t.name, t.pkg, err)
	}
	if t.ready != nil {
		err = t.ready(ctx, r)
	} else {
		select {
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-time.After(cfg.Settle):
		}
	}
	if err == nil && syscall.Kill(r.cmd.Process.Pid, 0) != nil {
		err = errors.New("it has ended")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w: %s", t.name, err, r.said("err")), r.stop())
	}
	return r, nil
}

// said is what a tracer has written, from its end if that is much.
func (r *tracing) said(file string) string {
	text, err := os.ReadFile(filepath.Join(r.dir, file))
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text[max(0, len(text)-2000):]))
}

// each calls f for the fields of each line that the tracer wrote.
func (r *tracing) each(f func(fields []string)) error {
	file, err := os.Open(filepath.Join(r.dir, "out"))
	if err != nil {
		return fmt.Errorf("read what %s says: %w", r.name, err)
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		f(strings.Fields(lines.Text()))
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read what %s says: %w", r.name, err)
	}
	return nil
}

// stop ends the tracer as ^C does. What it says of being stopped is of no interest.
func (r *tracing) stop() error {
	if r.cmd == nil {
		return nil
	}
	if err := syscall.Kill(-r.cmd.Process.Pid, syscall.SIGINT); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("end %s: %w", r.name, err)
	}
	late := time.AfterFunc(20*time.Second, func() { _ = syscall.Kill(-r.cmd.Process.Pid, syscall.SIGKILL) })
	defer late.Stop()
	var exit *exec.ExitError
	if err := r.cmd.Wait(); err != nil && !errors.As(err, &exit) {
		return fmt.Errorf("end %s: %w", r.name, err)
	}
	return nil
}

// cpu is the time that the tracer and its children that have ended spent on CPUs.
func (r *tracing) cpu() (time.Duration, error) {
	if r.cmd == nil {
		return 0, nil
	}
	own, err1 := bench.CPU(r.cmd.Process.Pid)
	children, err2 := bench.Children(r.cmd.Process.Pid)
	if err := errors.Join(err1, err2); err != nil {
		return 0, fmt.Errorf("%s: %w", r.name, err)
	}
	return own + children, nil
}
