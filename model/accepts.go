package model

// Whom the connections of a listener of TCP or SCTP are charged to.
const (
	// AcceptsToProcess says that the kernel tells which process accepts each: Workers has
	// them, where they are others than the owner.
	AcceptsToProcess = "process"
	// AcceptsToListener says that the kernel does not, or that nobody accepts from a socket of SCTP with
	// many associations: all are the listener's owner's.
	AcceptsToListener = "listener"
)

// MaxWorkers bounds Accepts.Workers.
const MaxWorkers = 64

// Accepts is who takes connections from a listener of TCP or SCTP. All of it is empty for others.
type Accepts struct {
	AcceptsChargedTo string `json:"accepts_charged_to,omitempty"` // AcceptsToProcess, AcceptsToListener
	// Workers are the processes that accepted connections, the busiest first, MaxWorkers at
	// most; empty while the owner alone does.
	Workers []Worker `json:"workers,omitempty"`
	// WorkersMore is how many more there are.
	WorkersMore int `json:"workers_more,omitempty"`
	// AcceptedBefore is what processes accepted that have ended since.
	AcceptedBefore uint64 `json:"accepted_before,omitempty"`
}

// Worker is one process of a service.
type Worker struct {
	PID  int    `json:"pid"`
	Comm string `json:"comm"`
	// Accepted is how many connections it took since the agent started.
	Accepted uint64 `json:"accepted"`
}
