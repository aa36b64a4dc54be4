package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"cassini/manager"
	"cassini/model"
)

// startManager runs a manager on loopback that knows one service of each name and a
// client of the first.
func startManager(t *testing.T, programs ...string) (url string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := manager.New(manager.Config{DataDir: t.TempDir(), Host: "web-17", Start: time.Now()})
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.Run(ctx, l) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("manager: %v", err)
		}
	})
	t.Cleanup(stop)
	at := time.Now().UTC()
	for i, p := range programs {
		port := uint16(8000 + i)
		owner := model.Process{PID: 100 + i, Exe: "/usr/sbin/" + p, Cmdline: []string{p}, UID: "www", GID: "www", Cwd: "/"}
		listener := model.Listener{Proto: "tcp", Addr: netip.MustParseAddr("127.0.0.1"), Port: port, State: model.StateListening, Since: at, Process: owner}
		accept(t, m, model.PackageListeners, listener.Key(), listener)
	}
	d := model.Dependency{Direction: model.Out, Proto: "tcp", Process: model.Process{PID: 2, Exe: "/usr/bin/curl"}, Client: netip.MustParseAddr("127.0.0.1"),
		Server: netip.MustParseAddr("127.0.0.1"), Port: 8000, Counters: model.Counters{Connections: 3}, FirstSeen: at, LastSeen: at}
	accept(t, m, model.PackageDependencies, d.Key(), d)
	return "http://" + l.Addr().String(), stop
}

// accept hands a document to a manager, once it has opened its log.
func accept(t *testing.T, m *manager.Manager, pkg, key string, body any) {
	t.Helper()
	doc, err := model.NewDocument(model.Name{Host: "web-17", Package: pkg, Key: key}, time.Now(), body)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Accept(t.Context(), []model.Document{doc}); err != nil {
		t.Fatal(err)
	}
}

// patience ends a wait for what never comes; it is no measure of speed.
const patience = time.Minute

// pty is a terminal of which the test holds the other end.
type pty struct {
	t           *testing.T
	master, tty *os.File
	mu          sync.Mutex
	text        strings.Builder
	more        chan struct{}
}

func openPTY(t *testing.T) *pty {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	fd := int(master.Fd())
	n, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err := errors.Join(err, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)); err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	p := &pty{t: t, master: master, tty: tty, more: make(chan struct{}, 1)}
	var reader sync.WaitGroup
	reader.Go(p.read)
	t.Cleanup(func() { // the reader sees the end once no one holds the terminal
		p.tty.Close()
		reader.Wait()
		p.master.Close()
	})
	return p
}

func (p *pty) read() {
	buffer := make([]byte, 1<<16)
	for {
		n, err := p.master.Read(buffer)
		p.mu.Lock()
		p.text.Write(buffer[:n])
		p.mu.Unlock()
		select {
		case p.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// resize changes the size, and forgets what was written before.
func (p *pty) resize(width, height uint16) {
	p.t.Helper()
	p.forget()
	if err := unix.IoctlSetWinsize(int(p.tty.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: height}); err != nil {
		p.t.Fatal(err)
	}
}

func (p *pty) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.text.Reset()
}

func (p *pty) written() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// await waits until all texts were written.
func (p *pty) await(texts ...string) {
	p.t.Helper()
	if missing := p.within(patience, texts); missing != "" {
		p.t.Fatalf("no %q in %q", missing, p.written())
	}
}

// redraw has all drawn again, by other sizes, until the frame has all texts: what is
// drawn before that is only what changed, in pieces.
func (p *pty) redraw(texts ...string) {
	p.t.Helper()
	more, begin := uint16(0), time.Now()
	for wait := 500 * time.Millisecond; time.Since(begin) < patience; wait += wait / 4 { // a slow machine needs more for one frame
		p.resize(120+more, 30)
		if p.within(wait, texts) == "" {
			return
		}
		more = 1 - more
	}
	p.t.Fatalf("no frame with %q, the last is %q", texts, p.written())
}

// within waits for texts for some time, and returns one that did not come.
func (p *pty) within(d time.Duration, texts []string) (missing string) {
	deadline := time.After(d)
	for {
		missing = ""
		for _, text := range texts {
			if !strings.Contains(p.written(), text) {
				missing = text
			}
		}
		if missing == "" {
			return ""
		}
		select {
		case <-p.more:
		case <-deadline:
			return missing
		}
	}
}

func (p *pty) press(keys string) {
	p.t.Helper()
	if _, err := p.master.WriteString(keys); err != nil {
		p.t.Fatal(err)
	}
}

// watchOn starts `cassini watch` on a terminal.
func watchOn(t *testing.T, p *pty, url string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "watch", "--api", url, "--interval", "100ms")
	// muesli/cancelreader v0.2.2, by which bubbletea reads the terminal, closes a file at the
	// end that its own goroutine may still look at: the race detector tells, and the program
	// has ended well all the same. What is told of our own frames fails all other tests.
	cmd.Env = append([]string{asCassini + "=1", "CASSINI_CONFIG=" + os.DevNull, "TERM=xterm-256color", "GORACE=exitcode=0"}, env...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = p.tty, p.tty, p.tty
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd
}

// TestWatchOnATerminal looks at services of a real manager, filters, resizes, loses the
// manager and quits.
func TestWatchOnATerminal(t *testing.T) {
	url, stop := startManager(t, "nginx", "postgres")
	p := openPTY(t)
	p.resize(80, 24)
	before, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	cmd := watchOn(t, p, url)
	p.await("\x1b[?1049h", "bin/curl")
	p.press("2")
	p.redraw("[2 services]", "postgres:8001", "nginx:8000")
	p.press("/postg\r")
	p.redraw("1 of 2  /postg")
	p.redraw("postgres:8001", "? help") // the last line, too
	if strings.Contains(p.written(), "nginx") {
		t.Errorf("the filter leaves nginx: %q", p.written())
	}
	stop()
	p.redraw("OLD PICTURE", "connection refused", "postgres:8001")
	p.press("q")
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v: %q", err, p.written())
	}
	after, err := unix.IoctlGetTermios(int(p.tty.Fd()), unix.TCGETS)
	if err != nil || *after != *before {
		t.Errorf("terminal before %+v, after %+v, %v", before, after, err)
	}
	p.await("\x1b[?1049l", "\x1b[?25h")
}

// TestWatchIsTerminated gives the terminal back when somebody ends it from outside.
func TestWatchIsTerminated(t *testing.T) {
	url, _ := startManager(t, "nginx")
	p := openPTY(t)
	p.resize(80, 24)
	cmd := watchOn(t, p, url, "NO_COLOR=1")
	p.await("bin/curl")
	if strings.Contains(p.written(), "\x1b[7m") {
		t.Error("NO_COLOR is painted")
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("exit: %v: %q", err, p.written())
	}
	p.await("\x1b[?1049l")
}

func TestWatchOnce(t *testing.T) {
	url, _ := startManager(t, "nginx", "postgres")
	got := cassini(t, map[string]string{"CASSINI_API": url}, "watch", "--once", "--interval", "100ms")
	for _, want := range []string{"services: 2  dependencies: 1", "CONN/S", "web-17/usr/bin/curl", "web-17/nginx:8000", "127.0.0.1:8000"} {
		if got.code != 0 || !strings.Contains(got.stdout, want) {
			t.Errorf("no %q; exit code %d: %s%s", want, got.code, got.stdout, got.stderr)
		}
	}
	got = cassini(t, map[string]string{"CASSINI_API": url}, "watch", "--once", "--interval", "100ms", "--view", "services", "--filter", "postgres")
	if !strings.Contains(got.stdout, "web-17/postgres:8001") || strings.Contains(got.stdout, "nginx") {
		t.Errorf("got %s", got.stdout)
	}
}

func TestWatchSaysWhatInstead(t *testing.T) {
	for line, want := range map[string]string{
		"watch":                      "input and output are not both a terminal; use 'cassini watch --once' for one picture, or 'cassini deps'",
		"watch --interval 1ms":       "--interval must be 100ms or more",
		"watch --view x":             "want one of dependencies, services, estate",
		"watch --api ftp://x --once": "not a URL",
		"watch here":                 `unexpected argument "here"`,
	} {
		got := cassini(t, nil, strings.Fields(line)...)
		if got.code != exitUsage || !strings.Contains(got.stderr, want) {
			t.Errorf("%s: exit code %d, stderr %q", line, got.code, got.stderr)
		}
	}
	p := openPTY(t)
	cmd := watchOn(t, p, "http://127.0.0.1:1", "TERM=dumb")
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != exitUsage {
		t.Errorf("a dumb terminal: %v", err)
	}
	p.await("this terminal (TERM=dumb) cannot move its cursor; use 'cassini watch --once'")
	got := cassini(t, nil, "watch", "--once", "--api", closedPort(t))
	if got.code != exitFailed || !strings.Contains(got.stderr, "cannot reach Cassini") {
		t.Errorf("exit code %d, stderr %q", got.code, got.stderr)
	}
}
