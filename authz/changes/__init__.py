"""The only writers: each verb is one transaction, one audit entry, one revision, one signal after commit."""
