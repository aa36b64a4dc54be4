package member

import (
	"fmt"
	"testing"
	"time"

	"cassini/model"
	"cassini/model/wire"
)

// Messages of somebody who has the ring's keys and means ill, or errs.
func TestHostileMessages(t *testing.T) {
	stranger := someone("stranger", 99)
	for name, c := range map[string]struct {
		from model.RingMember
		m    wire.Message
		sent int // answers
	}{
		"report of nothing":          {next, wire.Message{Type: wire.Report}, 0},
		"acknowledgement of nothing": {next, wire.Message{Type: wire.ReportAck}, 0},
		"report of another's":        {next, wire.Message{Type: wire.Report, Verdict: &model.Verdict{Ring: testRing, ID: model.ReportID{Reporter: "previous", Incarnation: 5, Sequence: 1}}}, 0},
		"report of another life":     {next, wire.Message{Type: wire.Report, Verdict: &model.Verdict{Ring: testRing, ID: model.ReportID{Reporter: "next", Incarnation: 9, Sequence: 1}}}, 0},
		"report of another ring":     {next, wire.Message{Type: wire.Report, Verdict: &model.Verdict{Ring: "top/1", ID: model.ReportID{Reporter: "next", Incarnation: 5, Sequence: 1}}}, 0},
		"instruction of a member":    {next, wire.Message{Type: wire.Instruction, Assignment: &model.Assignment{Ring: testRing, Epoch: 99, Gone: true}}, 0},
		"answer about the receiver":  {next, wire.Message{Type: wire.Answer, Subject: self(), Sight: model.SightNothing}, 0},
		"answer to no question":      {next, wire.Message{Type: wire.Answer, Subject: previous, Sight: model.SightNothing}, 0},
		"question about the asked":   {next, wire.Message{Type: wire.Question, Subject: self()}, 1},
		"question about nobody":      {next, wire.Message{Type: wire.Question}, 0},
		"question about the manager": {next, wire.Message{Type: wire.Question, Subject: someone(model.ManagerHost, 9)}, 0},
		"question without address":   {next, wire.Message{Type: wire.Question, Subject: model.RingMember{Host: "x"}}, 0},
		"notice to somebody else":    {next, wire.Message{Type: wire.Notice, Subject: previous}, 0},
		"bridge of a stranger":       {stranger, wire.Message{Type: wire.Bridge, Subject: previous}, 0},
		"bridge over nobody":         {stranger, wire.Message{Type: wire.Bridge}, 0},
		"no bridge was asked for":    {stranger, wire.Message{Type: wire.BridgeAck}, 0},
		"nobody agreed to a bridge":  {model.RingMember{}, wire.Message{Type: wire.BridgeAck}, 0},
		"end of no bridge":           {next, wire.Message{Type: wire.Unbridge}, 0},
		"leave for somebody else":    {previous, wire.Message{Type: wire.Leave, Subject: next}, 0},
		"leave of an earlier life":   {model.RingMember{Host: "next", Incarnation: 4}, wire.Message{Type: wire.Leave, Subject: model.RingMember{Host: "next"}}, 1},
		"leave of a stranger":        {stranger, wire.Message{Type: wire.Leave, Subject: stranger}, 1},
		"its own":                    {self(), wire.Message{Type: wire.Probe}, 0},
		"of a type to come":          {next, wire.Message{Type: 200}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b := placed(t)
			b.hear(c.from, c.m)
			if len(b.sent) != c.sent {
				t.Errorf("answers %+v", b.sent)
			}
			if len(b.reports)+len(b.relayed)+len(b.cases)+len(b.standing)+len(b.inquiries)+len(b.kept) != 0 || len(b.watches[testRing]) != 2 {
				t.Errorf("reported %v, relayed %v, cases %v, watches %v", b.reports, b.relayed, b.cases, b.watches)
			}
		})
	}
}

// What comes in the ring with the manager is the manager's alone.
func TestManagersRing(t *testing.T) {
	b := placed(t)
	gone := wire.Message{Type: wire.Instruction, Assignment: &model.Assignment{Ring: testRing, Epoch: 99, Gone: true}}
	b.Receive(model.ManagerRing("me"), next, gone, b.now)
	b.Receive(model.ManagerRing("other"), model.RingMember{Host: model.ManagerHost}, gone, b.now)
	b.Receive(model.ManagerRing("me"), model.RingMember{Host: model.ManagerHost}, wire.Message{Type: wire.Instruction}, b.now)
	if len(b.Assignments()) != 1 || len(b.sent) != 0 {
		t.Errorf("%v, %v", b.Assignments(), b.sent)
	}
	b.Receive(model.ManagerRing("me"), model.RingMember{Host: model.ManagerHost}, gone, b.now)
	if len(b.Assignments()) != 0 || len(b.sent) != 1 || b.sent[0].Epoch != 99 {
		t.Errorf("%v, %v", b.Assignments(), b.sent)
	}
}

func TestEndlessQuestions(t *testing.T) {
	b := placed(t)
	for i := range 10_000 {
		subject := someone(fmt.Sprint("host-", i), byte(i))
		b.hear(someone(fmt.Sprint("asker-", i%100), 50), wire.Message{Type: wire.Question, ID: uint64(i), Subject: subject})
		b.hear(someone(fmt.Sprint("asker-", i%100), 50), wire.Message{Type: wire.Question, ID: uint64(i), Subject: someone("host-0", 0)})
	}
	if len(b.inquiries) != maxInquiries {
		t.Errorf("%d inquiries", len(b.inquiries))
	}
	for _, q := range b.inquiries {
		if len(q.askers) > maxAskers {
			t.Errorf("%d askers", len(q.askers))
		}
	}
	b.pass(time.Minute)
	if len(b.inquiries) != 0 || b.pings != 5*maxInquiries {
		t.Errorf("%d inquiries are left, %d pings were sent", len(b.inquiries), b.pings)
	}
}

// A question with a wrong address makes nobody silent for those who ask with the right one.
func TestQuestionWithAWrongAddress(t *testing.T) {
	b, wrong, right := placed(t), someone("web", 200), someone("web", 20)
	b.hear(next, wire.Message{Type: wire.Question, ID: 1, Subject: wrong})
	b.pass(1500 * time.Millisecond)
	b.hear(previous, wire.Message{Type: wire.Question, ID: 2, Subject: right})
	if last := b.sent[len(b.sent)-2]; last.Type != wire.Answer || last.Sight != model.SightPending {
		t.Errorf("answered %+v", last)
	}
	b.hear(right, wire.Message{Type: wire.ProbeAnswer, ID: b.inquiries[keyOf(right)].probes.ID, Subject: right})
	if last := b.sent[len(b.sent)-1]; last.to != "previous" || last.Sight != model.SightAgent {
		t.Errorf("answered %+v", last)
	}
}

func TestEndlessReports(t *testing.T) {
	b := placed(t)
	for i := range uint64(10_000) {
		v := &model.Verdict{Ring: testRing, ID: model.ReportID{Reporter: "next", Incarnation: 5, Sequence: i / 2}}
		b.hear(next, wire.Message{Type: wire.Report, Verdict: v})
	}
	if len(b.relayed) != maxKept || len(b.kept) != maxKept || b.count(wire.ReportAck, "next") != 2*maxKept {
		t.Errorf("%d relayed, %d kept, %d acknowledged", len(b.relayed), len(b.kept), b.count(wire.ReportAck, "next"))
	}
	b.now = b.now.Add(keptTime)
	b.hear(next, wire.Message{Type: wire.Report, Verdict: &model.Verdict{Ring: testRing, ID: model.ReportID{Reporter: "next", Incarnation: 5, Sequence: 1 << 40}}})
	if len(b.relayed) != maxKept+1 || len(b.kept) != 1 {
		t.Errorf("%d relayed, %d kept", len(b.relayed), len(b.kept))
	}
}

// While its previous one is silent a member bridges to one, and not to all who ask.
func TestBridgesAreBounded(t *testing.T) {
	b := placed(t)
	b.quiet(previous)
	for i := range 300 {
		b.hear(someone(fmt.Sprint("stranger-", i), byte(i)), wire.Message{Type: wire.Bridge, ID: 1, Subject: previous})
	}
	if n := len(b.watches[testRing]); n != 2+maxBridges {
		t.Errorf("%d are watched", n)
	}
	b.Silent(testRing, "stranger-0", 3*time.Second, b.now)
	b.hear(third, wire.Message{Type: wire.Bridge, ID: 1, Subject: previous})
	if !b.watches[testRing]["third"] || b.watches[testRing]["stranger-0"] || b.cases["stranger-0"] != nil {
		t.Errorf("watches %v, cases %v", b.watches, b.cases)
	}
	b.hear(third, wire.Message{Type: wire.Unbridge})
	if b.watches[testRing]["third"] {
		t.Error("the bridge stays")
	}
}

// Only who was asked is an observer.
func TestOpinionsOfTheUnasked(t *testing.T) {
	b := placed(t)
	b.quiet(next)
	b.pass(300 * time.Millisecond)
	for i := range 100 {
		b.opine(someone(fmt.Sprint("stranger-", i), byte(i)), next, model.SightNothing)
	}
	b.opine(next, next, model.SightNothing)
	if len(b.cases["next"].opinions) != 0 {
		t.Errorf("%v", b.cases["next"].opinions)
	}
}
