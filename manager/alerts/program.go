package alerts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	programTimeout = 30 * time.Second
	killedFor      = 2 * time.Second // until what it leaves open is closed
	maxOutput      = 4096            // bytes of output that are kept
)

// program is one of the user's: it gets a Message on its standard input. There is no
// shell between, and nothing of an incident is an argument.
type program struct {
	argv    []string
	manager string
	tenant  string
	timeout time.Duration
}

// ParseProgram takes a command line apart: words between blanks, or a JSON array of texts
// where words have blanks in them. Errors wrap ErrInvalid.
func ParseProgram(line string) (argv []string, err error) {
	argv = strings.Fields(line)
	if strings.HasPrefix(strings.TrimSpace(line), "[") {
		argv = nil
		if err := json.Unmarshal([]byte(line), &argv); err != nil {
			return nil, fmt.Errorf("program %q: %w: %w", line, ErrInvalid, err)
		}
	}
	if len(argv) == 0 || !filepath.IsAbs(argv[0]) {
		return nil, fmt.Errorf("program %q: %w: want the whole path of a program, and perhaps arguments", line, ErrInvalid)
	}
	return argv, nil
}

// Name implements Receiver.
func (p *program) Name() string { return nameOf(p.tenant, "program/"+filepath.Base(p.argv[0])) }

// Key implements Receiver.
func (p *program) Key() string { return keyOf("program", p.tenant, strings.Join(p.argv, "\x00")) }

// Tenant implements Receiver.
func (p *program) Tenant() string { return p.tenant }

// Batch implements Receiver.
func (*program) Batch() int { return 1 }

// Repeat implements Receiver.
func (*program) Repeat() time.Duration { return 0 }

// Close implements Receiver.
func (*program) Close() {}

// Send implements Receiver: an exit code of 0 says that a message is taken.
func (p *program) Send(ctx context.Context, notices []Notice, now time.Time) error {
	for _, n := range notices {
		if err := p.run(ctx, n, now); err != nil {
			return err
		}
	}
	return nil
}

func (p *program) run(ctx context.Context, n Notice, now time.Time) error {
	m, body, err := newMessage(n, p.manager, p.tenant, now)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	var out output
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(body), &out, &out
	cmd.Env = environment(m)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // what it starts ends with it
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = killedFor
	err = cmd.Run()
	switch {
	case err == nil:
		return nil
	case errors.Is(err, exec.ErrWaitDelay): // it ended well, and what it left behind holds its output
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // it may have ended meanwhile
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("it took more than %v and was killed", p.timeout)
	}
	return fmt.Errorf("tell %s: %w; it said %q", p.Name(), err, out.text())
}

// environment is what programs need, and nothing of the manager's secrets.
func environment(m Message) []string {
	env := []string{"CASSINI_INCIDENT=" + m.Incident.ID, "CASSINI_STATUS=" + m.Status}
	if m.Tenant != "" {
		env = append(env, "CASSINI_TENANT="+m.Tenant)
	}
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// output keeps the beginning of what is written, and counts the rest.
type output struct {
	kept []byte
	more int
}

// Write implements io.Writer.
func (t *output) Write(b []byte) (int, error) {
	room := min(maxOutput-len(t.kept), len(b))
	t.kept = append(t.kept, b[:room]...)
	t.more += len(b) - room
	return len(b), nil
}

func (t *output) text() string {
	text := strings.TrimSpace(strings.ToValidUTF8(string(t.kept), "?"))
	if t.more > 0 {
		text += fmt.Sprintf(" ... and %d bytes more", t.more)
	}
	return text
}
