package wire

import (
	"fmt"

	"cassini/model"
)

// sights by their number on the wire.
var sights = [...]model.Sight{
	1: model.SightAgent, 2: model.SightRefused, 3: model.SightKernel, 4: model.SightLeft, 5: model.SightNothing, 6: model.SightUnable,
	7: model.SightPending,
}

// appendBody writes what the message's type bears.
func appendBody(to []byte, m Message) ([]byte, error) {
	w := writer{b: to}
	w.u64(m.ID)
	switch m.Type {
	case Probe, LeaveAck, BridgeAck, Unbridge:
		w.u64(uint64(m.Epoch))
	case ProbeAnswer, Refutation:
		w.member(m.Subject)
	case Question, Notice:
		w.member(m.Subject)
		w.u8(m.Score)
	case Answer:
		w.member(m.Subject)
		w.u8(m.Score)
		w.sight(m.Sight)
	case Leave:
		w.member(m.Subject)
		w.u8(m.Reason)
	case Bridge:
		w.member(m.Subject)
		w.u64(uint64(m.Epoch))
	case Ack:
		w.u64(uint64(m.Epoch))
		w.text("ring", string(m.Ring), MaxHost)
	case Instruction:
		w.assignment(m.Assignment)
	case Report:
		w.verdict(m.Verdict)
	case ReportAck:
		w.reportID(m.Report)
	default:
		return nil, fmt.Errorf("write body of %s: %w", m.Type, ErrMalformed)
	}
	return w.b, w.err
}

// parseBody reads what appendBody wrote, to the last byte.
func parseBody(t Type, b []byte) (Message, error) {
	r := reader{b: b}
	m := Message{Type: t, ID: r.u64()}
	switch t {
	case Probe, LeaveAck, BridgeAck, Unbridge:
		m.Epoch = model.Epoch(r.u64())
	case Ack:
		m.Epoch, m.Ring = model.Epoch(r.u64()), model.RingID(r.text(MaxHost))
	case ProbeAnswer, Refutation:
		m.Subject = r.member()
	case Question, Notice:
		m.Subject, m.Score = r.member(), r.u8()
	case Answer:
		m.Subject, m.Score, m.Sight = r.member(), r.u8(), r.sight()
	case Leave:
		m.Subject, m.Reason = r.member(), r.u8()
	case Bridge:
		m.Subject, m.Epoch = r.member(), model.Epoch(r.u64())
	case Instruction:
		m.Assignment = r.assignment()
	case Report:
		m.Verdict = r.verdict()
	case ReportAck:
		m.Report = r.reportID()
	default:
		r.fail(ErrMalformed)
	}
	return m, r.end()
}
