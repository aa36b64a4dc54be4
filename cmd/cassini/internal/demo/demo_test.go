package demo

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"cassini/kernel-tests/undertest"
	"cassini/tools/estate"
	"cassini/tools/estate/fleet"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// idle is a demo with nothing in it, and what it says.
func idle(in string) (*demo, *strings.Builder) {
	out := &strings.Builder{}
	e := &estate.Estate{}
	return &demo{cfg: Config{Switches: 2, In: strings.NewReader(in), Out: out}, estate: e, fleet: fleet.New(fleet.Config{Estate: e})}, out
}

func TestCommandsThatCannotBe(t *testing.T) {
	for line, want := range map[string]string{
		"explode":        "explode: no such command; type help",
		"CRASH s1-h1":    "CRASH: no such command; type help",
		"crash":          "crash: want: crash HOST",
		"crash a b":      "crash: want: crash HOST",
		"rings s1":       "rings: want: rings ",
		"loss s1-h1":     "loss: want: loss HOST PERCENT",
		"loss s1-h1 all": `loss: "all" is no percentage`,
		"switch first":   `switch: "first" is no number of a switch`,
		"heal 1.5":       `heal: "1.5" is no number of a switch`,
		"wait":           "wait: want: wait DURATION",
		"wait 5":         `wait: "5" is no duration such as 5s`,
		"crash nobody":   `crash: find host "nobody": no such part of the estate`,
		"cut nobody":     `cut: find host "nobody": no such part of the estate`,
		"switch 7":       "switch: ",
		"freeze nobody":  "freeze: signal nobody: it does not run",
		"kill manager":   "kill: signal manager: it does not run",
	} {
		d, out := idle(line)
		if err := d.serve(t.Context()); err != nil {
			t.Errorf("%s: %v", line, err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.HasPrefix(lines[1]+" ", want) {
			t.Errorf("%s: said %q, want %q", line, lines, want)
		}
	}
}

// TestQuit: it ends though more may be typed.
func TestQuit(t *testing.T) {
	for _, word := range []string{"quit", "exit"} {
		d, out := idle("")
		in, typed := io.Pipe()
		d.cfg.In = in
		done := make(chan error, 1)
		go func() { done <- d.serve(context.WithoutCancel(t.Context())) }()
		if _, err := fmt.Fprintf(typed, "\n   \n  wait   1ms  \n%s\n", word); err != nil {
			t.Fatal(err)
		}
		select {
		case err := <-done:
			if got := out.String(); err != nil || got != "type help for what can be done\n" {
				t.Errorf("%v, said %q", err, got)
			}
		case <-time.After(10 * time.Second):
			t.Errorf("%s does not end it", word)
		}
		_ = typed.Close()
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d, _ := idle("wait 1h\n")
	time.AfterFunc(50*time.Millisecond, cancel)
	begun := time.Now()
	if err := d.serve(ctx); err != nil || time.Since(begun) > 10*time.Second {
		t.Errorf("%v after %s", err, time.Since(begun))
	}
}

func TestPrompt(t *testing.T) {
	d, out := idle("wait 1ms\n")
	d.cfg.Prompt = true
	if err := d.serve(t.Context()); err != nil || strings.Count(out.String(), "demo> ") != 2 {
		t.Errorf("%v, said %q", err, out)
	}
}

func TestHelp(t *testing.T) {
	d, out := idle("help\n")
	if err := d.serve(t.Context()); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for name, c := range d.commands() {
		if !slices.ContainsFunc(lines, func(line string) bool {
			return strings.HasPrefix(line, strings.TrimRight("  "+name+" "+c.args, " ")) && strings.HasSuffix(line, c.about)
		}) {
			t.Errorf("%s is not explained in %q", name, lines)
		}
		if c.about == "" || c.do == nil {
			t.Errorf("%s does nothing", name)
		}
	}
	if !strings.Contains(out.String(), "switches: 1 to 2") {
		t.Errorf("said %q", out)
	}
}

// needRoot skips, loudly, where there can be no namespaces, or where another demo has them.
func needRoot(t *testing.T) {
	t.Helper()
	why := ""
	switch {
	case os.Geteuid() != 0:
		why = "it needs root, for network namespaces"
	case left():
		why = "a demo runs on this machine, or was killed; 'cassini demo' takes its namespaces away"
	default:
		return
	}
	if os.Getenv("CASSINI_REQUIRE_ROOT") != "" {
		t.Fatal(why)
	}
	fmt.Fprintln(os.Stderr, "DEMO NOT RUN:", why)
	t.Skip("NOT RUN: " + why)
}

func left() bool {
	spaces, err := filepath.Glob("/run/netns/" + prefix + "-*")
	return err == nil && len(spaces) > 0
}

func binary(t *testing.T) string {
	t.Helper()
	path, err := undertest.Binary(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDemo is a whole run, as a script would have it: a host dies, comes back, and what is
// shown tells so. Afterwards nothing is left.
func TestDemo(t *testing.T) {
	needRoot(t)
	script := []string{
		"hosts", "explode", "crash s1-h2", "wait 8s", "incidents", "rings", "boot s1-h2", "wait 5s", "hosts", "incidents", "quit",
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary(t), "demo", "--listen", "127.0.0.1:0", "--hosts", "3")
	cmd.Stdin = strings.NewReader(strings.Join(script, "\n") + "\n")
	cmd.Env = append(os.Environ(), "TMPDIR="+t.TempDir(), "CASSINI_CONFIG="+os.DevNull)
	raw, err := cmd.CombinedOutput()
	out := string(raw)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	rest := out
	for _, want := range []string{
		"starting a manager and 6 agents on 2 switches", "all rings are whole", "the manager answers at http://127.0.0.1:",
		"HOST", "s1-h1", "s1-h2", "s2-h3", "explode: no such command; type help",
		"  open      s1-h2 crashed: nobody hears anything from there", // as it happens
		"host-crashed", "saw nothing", // incidents
		"RING", "whole", "closed", // it is back, and they say so
		"WATCHED BY", "closed after",
	} {
		_, after, found := strings.Cut(rest, want)
		if !found {
			t.Fatalf("%q does not come in its turn:\n%s", want, out)
		}
		rest = after
	}
	if left() {
		t.Error("namespaces are left")
	}
	if entries, err := os.ReadDir(strings.TrimPrefix(cmd.Env[len(cmd.Env)-2], "TMPDIR=")); err != nil || len(entries) != 0 {
		t.Errorf("files are left: %v, %v", entries, err)
	}
}
