package estate

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"syscall"
)

// Cmd is a program of one host. It is used like the exec.Cmd inside, whose fields may be
// set before it is started; Start, Run, Output and CombinedOutput are its own, since a
// program gets the namespace of the thread that starts it.
type Cmd struct {
	*exec.Cmd
	thread *thread
}

// Command prepares a program that will run in the network namespace of a host, or of the
// manager, under its host name. It is killed when the context ends, when the estate is
// closed and when this process ends, however it does. Starting it fails with an error
// that wraps ErrUnknown where there is no such host.
func (e *Estate) Command(ctx context.Context, host string, argv ...string) *Cmd {
	h, err := e.host(host)
	if err == nil && len(argv) == 0 {
		err = errors.New("no program is named")
	}
	if err != nil {
		return &Cmd{Cmd: &exec.Cmd{Err: err}}
	}
	c := &Cmd{Cmd: exec.CommandContext(ctx, argv[0], argv[1:]...), thread: h.node.thread}
	c.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return c
}

// Start starts the program inside.
func (c *Cmd) Start() error {
	if c.thread == nil {
		return c.Err
	}
	return c.thread.do(c.Cmd.Start)
}

// Run starts the program and waits for its end.
func (c *Cmd) Run() error {
	if err := c.Start(); err != nil {
		return err
	}
	return c.Wait()
}

// CombinedOutput runs the program and returns what it wrote.
func (c *Cmd) CombinedOutput() ([]byte, error) {
	var out bytes.Buffer
	c.Stdout, c.Stderr = &out, &out
	err := c.Run()
	return out.Bytes(), err
}

// Do calls fn with its thread in the network namespace of a host, or of the manager:
// sockets that it opens are the host's, wherever they are used later. fn must return, and
// is alone there as long as it runs.
func (e *Estate) Do(host string, fn func() error) error {
	h, err := e.host(host)
	if err != nil {
		return err
	}
	return h.node.thread.do(fn)
}
