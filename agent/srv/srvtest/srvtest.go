// Package srvtest is a name server on loopback, for tests of what asks DNS.
package srvtest

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// maxUDP is the longest answer in a datagram; longer ones are told to be asked by TCP.
const maxUDP = 1200

// Server answers SRV questions with what Set was given, and those for addresses of hosts
// below Hosts with 127.0.0.1. It is safe for concurrent use.
type Server struct {
	Hosts string // such as example.org.

	udp net.PacketConn
	tcp net.Listener

	mu      sync.Mutex
	records map[string][]net.SRV
	raw     []byte // instead of any answer
	code    dnsmessage.RCode
	asked   map[string]int // SRV questions by name
}

// New starts a server that ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	udp, err := net.ListenPacket("udp", tcp.Addr().String())
	if err != nil {
		t.Fatal(errors.Join(err, tcp.Close()))
	}
	s := &Server{Hosts: "example.org.", udp: udp, tcp: tcp, records: make(map[string][]net.SRV), asked: make(map[string]int)}
	var serving sync.WaitGroup
	serving.Go(s.serveUDP)
	serving.Go(s.serveTCP)
	t.Cleanup(func() {
		udp.Close()
		tcp.Close()
		serving.Wait()
	})
	return s
}

// Resolver asks this server and no other.
func (s *Server) Resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, s.tcp.Addr().String())
	}}
}

// Set says what the answer for a name is from now on.
func (s *Server) Set(name string, records ...net.SRV) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[name], s.raw, s.code = records, nil, dnsmessage.RCodeSuccess
}

// Fail answers all questions with a code.
func (s *Server) Fail(code dnsmessage.RCode) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.code = code
}

// Garble answers all questions with these bytes after the question's id.
func (s *Server) Garble(raw []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.raw = raw
}

// Asked is how often SRV records of a name were asked for.
func (s *Server) Asked(name string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked[name]
}

func (s *Server) serveUDP() {
	buf := make([]byte, 4096)
	for {
		n, from, err := s.udp.ReadFrom(buf)
		if err != nil {
			return
		}
		if out := s.answer(buf[:n], maxUDP); out != nil {
			_, _ = s.udp.WriteTo(out, from) // who does not hear it asks again
		}
	}
}

func (s *Server) serveTCP() {
	for {
		conn, err := s.tcp.Accept()
		if err != nil {
			return
		}
		s.converse(conn)
	}
}

// converse answers one question.
func (s *Server) converse(conn net.Conn) {
	defer conn.Close()
	var size [2]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return
	}
	question := make([]byte, binary.BigEndian.Uint16(size[:]))
	if _, err := io.ReadFull(conn, question); err != nil {
		return
	}
	if out := s.answer(question, 65535); out != nil {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(out))), out...))
	}
}

func (s *Server) answer(raw []byte, limit int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var p dnsmessage.Parser
	header, err := p.Start(raw)
	if err != nil {
		return nil
	}
	q, err := p.Question()
	if err != nil {
		return nil
	}
	if q.Type == dnsmessage.TypeSRV {
		s.asked[strings.TrimSuffix(q.Name.String(), ".")]++
	}
	if s.raw != nil {
		return append(binary.BigEndian.AppendUint16(nil, header.ID), s.raw...)
	}
	out := s.pack(header.ID, q, false)
	if len(out) > limit {
		out = s.pack(header.ID, q, true)
	}
	return out
}

func (s *Server) pack(id uint16, q dnsmessage.Question, truncated bool) []byte {
	b := dnsmessage.NewBuilder(nil, dnsmessage.Header{ID: id, Response: true, Authoritative: true, RecursionAvailable: true, Truncated: truncated, RCode: s.codeOf(q)})
	b.EnableCompression()
	errs := []error{b.StartQuestions(), b.Question(q), b.StartAnswers()}
	head := dnsmessage.ResourceHeader{Name: q.Name, Class: dnsmessage.ClassINET, TTL: 1}
	switch {
	case truncated || s.code != dnsmessage.RCodeSuccess:
	case q.Type == dnsmessage.TypeSRV:
		for _, r := range s.records[strings.TrimSuffix(q.Name.String(), ".")] {
			target, err := dnsmessage.NewName(r.Target)
			errs = append(errs, err, b.SRVResource(head, dnsmessage.SRVResource{Priority: r.Priority, Weight: r.Weight, Port: r.Port, Target: target}))
		}
	case q.Type == dnsmessage.TypeA && strings.HasSuffix(q.Name.String(), "."+s.Hosts):
		errs = append(errs, b.AResource(head, dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}}))
	}
	out, err := b.Finish()
	if err = errors.Join(append(errs, err)...); err != nil {
		panic(err) // the test's records do not fit into DNS
	}
	return out
}

// codeOf says NXDOMAIN of names that are not there.
func (s *Server) codeOf(q dnsmessage.Question) dnsmessage.RCode {
	known := s.records[strings.TrimSuffix(q.Name.String(), ".")] != nil || strings.HasSuffix(q.Name.String(), "."+s.Hosts) && !strings.HasPrefix(q.Name.String(), "_")
	if s.code == dnsmessage.RCodeSuccess && !known {
		return dnsmessage.RCodeNameError
	}
	return s.code
}
