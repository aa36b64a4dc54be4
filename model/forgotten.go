package model

// Forgotten is what became of a host that a manager forgets.
type Forgotten struct {
	Host      string `json:"host"`
	Documents int    `json:"documents"` // that were withdrawn
	// Enrolled says that the record of its enrolment stays: it has a certificate that counts,
	// or was shut out, which must not be forgotten.
	Enrolled bool `json:"enrolled,omitempty"`
}
