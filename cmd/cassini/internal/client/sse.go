package client

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// maxMessage bounds one message of a stream.
const maxMessage = 1 << 20

var errMessageTooLong = errors.New("message of the event stream is too long")

// message is one server-sent event.
type message struct {
	data []byte
	// id is the last one that the stream gave, in this message or before.
	id string
	// retry is how long the server wants clients to wait before they connect
	// again; 0 when it did not say.
	retry time.Duration
}

// stream decodes server-sent events, as the HTML standard defines them, from
// lines that end in LF or CRLF.
type stream struct {
	lines *bufio.Scanner
	last  message
}

func newStream(r io.Reader) *stream {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxMessage)
	return &stream{lines: lines}
}

// next returns the next message that has data. io.EOF is the orderly end.
func (s *stream) next() (message, error) {
	var data []byte
	some := false
	for s.lines.Scan() {
		line := s.lines.Bytes()
		if len(line) == 0 {
			if some {
				s.last.data = bytes.TrimSuffix(data, []byte("\n"))
				return s.last, nil
			}
			continue
		}
		if name, value := field(line); name == "data" {
			some = true
			data = append(append(data, value...), '\n')
		} else {
			s.last.set(name, value)
		}
		if len(data) > maxMessage {
			return message{}, errMessageTooLong
		}
	}
	if err := s.lines.Err(); errors.Is(err, bufio.ErrTooLong) {
		return message{}, errMessageTooLong
	} else if err != nil {
		return message{}, err
	}
	return message{}, io.EOF
}

// field splits "name: value". A comment has the name "".
func field(line []byte) (name string, value []byte) {
	before, value, _ := bytes.Cut(line, []byte(":"))
	return string(before), bytes.TrimPrefix(value, []byte(" "))
}

// set takes over a field other than data. Unknown ones are ignored.
func (m *message) set(name string, value []byte) {
	switch name {
	case "id":
		if bytes.IndexByte(value, 0) < 0 {
			m.id = string(value)
		}
	case "retry":
		if ms, err := strconv.ParseUint(string(value), 10, 31); err == nil {
			m.retry = time.Duration(ms) * time.Millisecond
		}
	}
}
