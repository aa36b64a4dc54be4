package wire

import (
	"fmt"

	"cassini/model"
)

// Type of a datagram. Numbers are never used again for something else.
type Type uint8

// Types.
const (
	Heartbeat   Type = 1
	Probe       Type = 2  // are you there?
	ProbeAnswer Type = 3  // yes
	Question    Type = 4  // do you hear the subject?
	Answer      Type = 5  // this is what I see of it
	Notice      Type = 6  // you are suspect
	Refutation  Type = 7  // I am alive, in this incarnation
	Instruction Type = 8  // your place in a ring
	Ack         Type = 9  // this is the epoch that I have
	Leave       Type = 10 // I go
	LeaveAck    Type = 11
	Report      Type = 12 // keep this verdict, and bring it to the manager
	ReportAck   Type = 13
	Bridge      Type = 14 // the members between us are gone: let us watch each other
	BridgeAck   Type = 15
	Unbridge    Type = 16 // the member between us is back
	Ask         Type = 17 // how far is your agent? It has a header alone, as the answer has
	Reflected   Type = 18 // so far, says the kernel: the header's Progress; the Nonce is the question's
	lastType         = Reflected
)

var typeNames = [...]string{
	Heartbeat: "heartbeat", Probe: "probe", ProbeAnswer: "probe-answer", Question: "question", Answer: "answer",
	Notice: "notice", Refutation: "refutation", Instruction: "instruction", Ack: "ack", Leave: "leave", LeaveAck: "leave-ack",
	Report: "report", ReportAck: "report-ack", Bridge: "bridge", BridgeAck: "bridge-ack", Unbridge: "unbridge",
	Ask: "ask", Reflected: "reflected",
}

// String is the type's name.
func (t Type) String() string {
	if int(t) < len(typeNames) && typeNames[t] != "" {
		return typeNames[t]
	}
	return fmt.Sprintf("type-%d", uint8(t))
}

// Why a member takes its leave.
const (
	LeaveStopped  uint8 = 0 // its agent ends, its host stays
	LeaveShutdown uint8 = 1 // its host goes down
)

// Message is what a control datagram says. Which fields it bears depends on the type;
// the others are zero.
type Message struct {
	Type Type
	// ID is repeated by the answer: of a probe, a question, a notice, a leave, a bridge.
	ID uint64
	// Subject is who is asked about (Question, Answer), accused (Notice) or gone
	// (Bridge); in Refutation, ProbeAnswer and Leave the sender itself.
	Subject model.RingMember
	Sight   model.Sight  // Answer
	Score   uint8        // of the accuser: Question, Answer, Notice
	Reason  uint8        // Leave
	Epoch   model.Epoch  // Ack, Bridge, BridgeAck
	Ring    model.RingID // Ack: the ring of the instruction
	// Place in the ring: Instruction.
	Assignment *model.Assignment
	Verdict    *model.Verdict  // Report
	Report     *model.ReportID // ReportAck
}
