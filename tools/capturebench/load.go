package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// side is how many client addresses and how many server addresses there are for edges; all
// are of loopback's.
const (
	side     = 400
	maxEdges = side * side
)

func clientAddr(n int) net.IP { return net.IPv4(127, 1, byte(n/200), byte(1+n%200)) }
func serverAddr(n int) net.IP { return net.IPv4(127, 2, byte(n/200), byte(1+n%200)) }

// drain is how long a server goes on accepting when its clients are done.
const drain = time.Second

// served is what a server says in the end, dialed what a client does.
type served struct{ Accepted int64 }

type dialed struct {
	Connections int
	Took        time.Duration
}

// serve accepts connections and closes them when the other end did, until its standard
// input ends; with hold not until then. It writes its port first, and its books last.
func serve(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ContinueOnError)
	hold := flags.Bool("hold", false, "keep connections open, with as little memory as can be")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := manyFiles(); err != nil {
		return err
	}
	l, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	fmt.Println(l.Addr().(*net.TCPAddr).Port)
	var accepted atomic.Int64
	var held []net.Conn
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			accepted.Add(1)
			if *hold {
				held = append(held, c)
				continue
			}
			go func() {
				_, _ = c.Read(make([]byte, 1)) // until the other end has gone
				_ = c.Close()
			}()
		}
	}()
	_, err = io.Copy(io.Discard, os.Stdin)
	// What was made is there, but may wait to be accepted.
	err = errors.Join(err, l.(*net.TCPListener).SetDeadline(time.Now().Add(drain)))
	<-drained
	for _, c := range held {
		_ = c.Close()
	}
	return errors.Join(err, l.Close(), json.NewEncoder(os.Stdout).Encode(served{accepted.Load()}))
}

// dial makes connections one after the other over so many pairs of addresses by turns, as
// fast as it can or at a rate, and closes them by a reset, so that ports are free again.
// With hold it keeps them open until its standard input ends.
func dial(args []string) error {
	flags := flag.NewFlagSet("dial", flag.ContinueOnError)
	port := flags.Int("port", 0, "of the server")
	n := flags.Int("n", 1, "connections")
	edges := flags.Int("edges", 1, "pairs of addresses")
	rate := flags.Int("rate", 0, "connections a second; 0 is as fast as it goes")
	hold := flags.Bool("hold", false, "keep them open")
	first := flags.Int("first", 0, "the first client address with -hold")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if err := manyFiles(); err != nil {
		return err
	}
	var open []net.Conn
	begin := time.Now()
	for i := range *n {
		if *rate > 0 {
			time.Sleep(time.Until(begin.Add(time.Duration(i) * time.Second / time.Duration(*rate))))
		}
		e := i % *edges
		from, to := clientAddr(e/side), serverAddr(e%side)
		if *hold { // each address has ports for holdMost, and the more are free the sooner one is found
			from = clientAddr(*first + i%holdAddrs)
		}
		d := net.Dialer{LocalAddr: &net.TCPAddr{IP: from}}
		c, err := d.Dial("tcp4", net.JoinHostPort(to.String(), strconv.Itoa(*port)))
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		if *hold {
			open = append(open, c)
			continue
		}
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	err := json.NewEncoder(os.Stdout).Encode(dialed{*n, time.Since(begin)})
	if *hold {
		_, _ = io.Copy(io.Discard, os.Stdin)
	}
	for _, c := range open {
		_ = c.(*net.TCPConn).SetLinger(0)
		_ = c.Close()
	}
	return err
}

// manyFiles lets this process have as many files open as it may.
func manyFiles() error {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	if err == nil {
		limit.Cur = limit.Max
		err = syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit)
	}
	if err != nil {
		return fmt.Errorf("allow many open files: %w", err)
	}
	return nil
}

// child is this program as a server or a client.
type child struct {
	cmd   *exec.Cmd
	in    io.WriteCloser
	out   *bufio.Reader
	once  sync.Once
	ended error
}

func startChild(ctx context.Context, cfg config, as string, args ...string) (*child, error) {
	c := &child{cmd: exec.CommandContext(ctx, cfg.program(as), args...)}
	c.cmd.Stderr = os.Stderr
	var err error
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	return c, nil
}

// line is the next line that the child writes.
func (c *child) line(into any) error {
	line, err := c.out.ReadBytes('\n')
	if err != nil {
		return errors.Join(fmt.Errorf("read what %s says: %w", c.cmd.Args[1], err), c.end())
	}
	if err := json.Unmarshal(line, into); err != nil {
		return fmt.Errorf("read what %s says: %q: %w", c.cmd.Args[1], line, err)
	}
	return nil
}

// end lets the child go and waits for it.
func (c *child) end() error {
	c.once.Do(func() {
		_ = c.in.Close()
		_, _ = io.Copy(io.Discard, c.out)
		if err := c.cmd.Wait(); err != nil {
			c.ended = fmt.Errorf("%s: %w", c.cmd.Args[1], err)
		}
	})
	return c.ended
}

// listening is a server with its port.
type listening struct {
	*child
	port int
}

func startServer(ctx context.Context, cfg config, flags ...string) (*listening, error) {
	c, err := startChild(ctx, cfg, server, append([]string{"serve"}, flags...)...)
	if err != nil {
		return nil, err
	}
	s := &listening{child: c}
	return s, c.line(&s.port)
}

// books ends the server and says how many connections it accepted.
func (s *listening) books() (int64, error) {
	if err := s.in.Close(); err != nil {
		return 0, fmt.Errorf("end the server: %w", err)
	}
	var b served
	if err := s.line(&b); err != nil {
		return 0, err
	}
	return b.Accepted, s.end()
}

// load lets a client make connections and waits for it. It says who that was.
func load(ctx context.Context, cfg config, s *listening, flags ...string) (d dialed, pid int, err error) {
	c, err := startChild(ctx, cfg, client, append([]string{"dial", "-port", fmt.Sprint(s.port)}, flags...)...)
	if err != nil {
		return d, 0, err
	}
	err = c.line(&d)
	return d, c.cmd.Process.Pid, errors.Join(err, c.end())
}
