use super::known_role;

#[test]
fn an_outline_tells_known_roles_and_not_a_word_of_the_clients() {
    assert_eq!(known_role("user"), "user");
    assert_eq!(known_role("my secret"), "");
}
