-- The nodes of a person in their order. Locks: SHARE on link_node while the index is made: linkage waits, a minute for
-- ten million nodes; nothing else writes there.
--
-- What asks for the first nodes of a person was answered by reading nodes in the order of their ids until enough of
-- that person had come by.
CREATE INDEX link_node_of_person_in_order ON link_node (person_id, node_id);
DROP INDEX link_node_of_person;
